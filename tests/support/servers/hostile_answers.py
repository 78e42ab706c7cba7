"""The answers of a hostile model to both enrichers: good, dressed up, cut off, or of no use."""

import json
from typing import Any

SHAPES = (
    "truncated JSON", "length", "refusal", "empty", "no JSON", "wrong types", "language missing",
    "unfinished thought",
)  # fmt: skip
DRESSED = ("fence", "prose before", "thought before", "content in parts")  # good texts all the same
THOUGHT = 'Let me draft: {"en": {"title": "Nonsense", "summary": "Nonsense."}}'


def completion(behaviour: str, texts: dict[str, Any]) -> bytes:
    """Return a chat completion in which a model answers with these texts."""
    message: dict[str, Any] = {"role": "assistant", "content": _content(behaviour, texts)}
    if behaviour == "refusal":
        message["refusal"] = "I cannot help with that."
    reason = "length" if behaviour == "length" else "stop"
    choice = {"index": 0, "message": message, "finish_reason": reason}
    usage = {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()


def _content(behaviour: str, texts: dict[str, Any]) -> object:
    said = json.dumps(_damaged(behaviour, texts), ensure_ascii=False)
    match behaviour:
        case "fence":
            return f"```json\n{said}\n```"
        case "prose before":
            return (
                f"Of course! {{Here}} is the text that you asked for:\n\n{said}\n\nAnything else?"
            )
        case "thought before":
            return f"<think>\n{THOUGHT}\n</think>\n{said}"
        case "unfinished thought":
            return f"<think>\n{THOUGHT} {said}"
        case "content in parts":
            thought = {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]}
            return [thought, {"type": "text", "text": said}]
        case "length":
            return said[: len(said) // 2]
        case "refusal":
            return None
        case "empty":
            return ""
        case "no JSON":
            return "What a goal!"
    return said


def _damaged(behaviour: str, texts: dict[str, Any]) -> dict[str, Any]:
    if behaviour == "wrong types":
        return {tag: {"title": [text["title"]], "summary": 7} for tag, text in texts.items()}
    if behaviour == "language missing":
        return dict([*texts.items()][1:])
    return texts


def answer(behaviour: str, texts: dict[str, Any]) -> bytes:
    """Return the answer of an endpoint of the enricher `http`."""
    match behaviour:
        case "empty":
            return b""
        case "no JSON" | "unfinished thought":
            return b"<think>What a goal!"
        case "refusal" | "length":
            return json.dumps({"success": False, "failureReason": "no text today"}).encode()
    said = _damaged(behaviour, texts)
    first = said.get(next(iter(texts)), {})
    picture = "https://pictures.example/goal.jpg"
    return json.dumps({"success": True, **first, "texts": said, "thumbnailUrl": picture}).encode()
