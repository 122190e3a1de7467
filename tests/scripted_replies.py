"""Replies of a scripted model to the prompts of detector, editor and verifier."""

import json
from typing import Any

from scripted_server import Scripted

REFUND_READING = {
    "facts": [
        {"kind": "issue", "text": "broken lamp", "turns": [0], "covered": "yes"},
        {"kind": "next_step", "text": "the customer sends a photo", "turns": [1], "covered": "no"},
        {"kind": "cause", "text": "unknown", "turns": [], "covered": "no"},
    ],
    "findings": [
        {
            "category": "wrong_figure",
            "quote": "45.20",
            "turns": [0, 1],
            "explanation": "It is 42.50.",
            "confidence": "high",
        },
        {
            "category": "wrong_status",
            "quote": "was made",
            "turns": [1],
            "explanation": "It is promised.",
            "confidence": "low",
        },
    ],
}


CLEAN = {"facts": [], "findings": []}


EDITS = {
    "edits": [
        {"finding": 1, "find": "45.20", "replace": "42.50"},
        {"finding": 2, "find": "was made", "replace": "was promised, once the photo is there"},
    ]
}


class Script:
    """Answers each task by the summary it is about; counts what was asked."""

    def __init__(self, **replies: Any) -> None:
        self.replies = replies
        self.asked: list[str] = []

    def __call__(self, body: dict[str, Any], n: int) -> Scripted:
        task = body["response_format"]["json_schema"]["name"]
        about = "refund" if "lamp" in body["messages"][1]["content"] else "delivery"
        self.asked.append(f"{task} {about}")
        reply = self.replies.get(f"{task}_{about}", self.replies.get(task))
        if isinstance(reply, list):
            reply = reply.pop(0) if len(reply) > 1 else reply[0]
        return Scripted(reply if isinstance(reply, str) else json.dumps(reply))
