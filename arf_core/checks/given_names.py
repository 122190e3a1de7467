"""Common given names that are no ordinary words, places or brands. Data only, written by hand.

A name that is also a word ("Grace", "Mark", "Will"), a place ("Charlotte", "Jordan") or a brand or
product that people write about ("Alexa", "Siri", "Mercedes") is left out on purpose.
"""

GIVEN_NAMES = frozenset(
    """
    aaron abdul abdullah abigail adam adrian adriana agnes ahmed aisha akash alan albert
    alejandra alejandro alessandro alex alexander alexandra alfred ali alice alicia alina
    allison alyssa amanda amelia amina amir amit amy ana anastasia andrea andreas andres andrew
    andy angela angelina anika anil anita anja ann anna anne annette annie anthony antoine anton
    antonio anusha arjun arnold arthur arun ashish ashley astrid audrey barbara beatrice beatriz
    becky ben benjamin bernard beth bethany betty beverly bianca bjorn bob bobby boris brandon
    brenda brian bridget britney bruce bruno bryan caleb callum camila carl carla carlos carmen
    carol caroline carolyn catherine cathy cecilia cedric chloe chris christina christine
    christopher cindy claire clara claudia clive colin connor corinne craig cristina cynthia
    dana daniel daniela danielle danny darren dave david deborah deepak deepika denise dennis
    derek diana diane diego dimitri dmitri dominic donald donna doris dorothy douglas duncan
    dylan eddie edgar eduardo edward edwin eileen elaine eleanor elena elias elijah elisa
    elizabeth ella ellen emily emma eric erica erik erika ernest esther ethan eugene eva evan
    evelyn fatima felicia fernanda fernando fiona frances francesca francesco francis francisco
    frederick gabriel gabriela gabriella gareth gary gavin geoffrey george georgina gerald
    geraldine gerard gianluca gilbert gina giovanni gloria gordon graham greg gregory greta
    guillermo gustavo hamza hannah hans harold harriet harry hassan heather hector heidi helen
    helena henrik henry herbert holger howard hugo ian ibrahim igor ingrid irene irina isaac
    isabel isabella ismail ivan jacob jacqueline jacques jaime jake james jamie jane janet
    janice jason javier jay jeff jeffrey jelena jennifer jenny jeremy jerome jerry jesse jessica
    jessie jill jim jimmy joan joana joanna joanne joel johan johanna johannes john johnny
    jonathan jorge jose joseph josh joshua juan judith judy julia julian juliana julie julien
    juliet jurgen justin kaitlyn kamal karen karin karl karla kate katherine kathleen kathryn
    kathy katie katrina kavita kayla keith kelly kenneth kenny kerry kevin khalid kimberly klaus
    kristen kristin kristina kumar kurt kyle larry laura lauren lawrence leah leila lena leon
    leonard leonardo leslie leticia lewis liam linda lindsay lisa liz lorenzo lorraine louis
    louise lucas lucia lucy luigi luis luisa lukas luke lydia lynn maggie malcolm manuel marcel
    marco marcus margaret maria mariam marie marina mario marion marjorie markus marta martha
    martin martina marvin mary mateo matthew matthias maureen maurice megan mehmet melanie
    melissa michael michele michelle miguel mike milan mohamed mohammad mohammed monica monika
    mustafa nadia nancy naomi natalia natalie natasha nathan nathaniel neha neil nicholas nick
    nicola nicolas nicole nigel nikhil nikita nina nisha noah nora norman oliver olivia omar
    oscar owen pablo pamela patricia patrick patty paul paula paulo pedro peggy peter philip
    phillip phyllis pierre pooja prakash pranav praveen preeti priya priyanka rachel raj rajesh
    rakesh ralph ramesh ramon raquel raul ravi raymond rebecca renata rene ricardo richard rita
    robert roberta roberto robin rodney rodrigo roger rohan rohit roland ronald ronnie rosa
    rosemary rosie ross roxanne roy russell ryan sabine sabrina sally salma sam samantha samir
    samuel sandeep sandra sandy sanjay santiago sara sarah scott sean sebastian sergei sergio
    sharon shaun sheila shelley shirley shreya simon simone sofia sonia sophia sophie stacey
    stanley stefan stefanie stella stephanie stephen steve steven stewart stuart sunil suresh
    susan susana susanne svetlana sylvia tamara tanya tara tariq ted teresa terry thelma
    theodore theresa thomas tiffany tim timothy tina toby todd tom tomas tommy tony tracy trevor
    tyler valentina valerie vanessa vera veronica vicky victor vijay vikram vincent vinod
    vladimir walter wanda wayne wendy wesley wilhelm william wolfgang xavier yasmin yolanda
    yusuf yvonne zachary zainab zoe
    """.split()
)

SHORT_FORMS: tuple[frozenset[str], ...] = tuple(
    frozenset(names.split())
    for names in (
        "william will bill billy willy liam",
        "robert rob bob bobby robbie",
        "richard rick dick richie ricky",
        "elizabeth liz beth betty lizzie eliza elisa libby",
        "margaret maggie peggy meg",
        "james jim jimmy jamie",
        "john jack johnny jon",
        "michael mike mick mikey",
        "anthony tony ant",
        "edward ed eddie ted teddy ned",
        "alexander alex sasha alejandro xander",
        "alexandra alex sasha sandra lexi",
        "katherine catherine kathryn kate katie kathy cathy kat",
        "charles charlie chuck carlos carl",
        "henry harry hank",
        "francis frank francisco",
        "joseph joe joey jose",
        "andrew andy drew",
        "deborah debbie deb",
        "barbara barb babs",
        "dorothy dot dottie",
        "susan sue susie suzanne",
        "rebecca becky becca",
        "geoffrey jeffrey geoff jeff",
        "steven stephen steve",
        "lawrence larry",
        "theodore ted theo",
        "walter walt",
        "patricia pat trish patty",
        "rose rosie rosa rosemary",
        "mary marie maria molly",
        "ann anne anna annie",
    )
)
"""Names that people use for one another."""
