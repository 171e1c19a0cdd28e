"""Rows of the kinds of data that experiments use: each maker gives named fields for one row.

A catalogue entry maps the columns of a data set to these fields.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .texts import Writer

Row = dict[str, Any]
Maker = Callable[[Writer, int, dict[str, Any]], Row]

POS_DETERMINER, POS_NOUN, POS_NAME, POS_VERB, POS_ADJECTIVE, POS_OTHER = 12, 21, 22, 38, 16, 7
CHUNK_NOUN, CHUNK_INSIDE, CHUNK_VERB, OUTSIDE = 11, 12, 21, 0


def draw_label(writer: Writer, classes: int) -> int:
    """A class index; from five classes on, the last class is rare."""
    if classes >= 5 and not writer.rare(0.3):
        return writer.dice.randrange(classes - 1)
    return writer.dice.randrange(classes)


def sentiment(writer: Writer, index: int, options: dict[str, Any]) -> Row:
    """A text whose mood follows its label; `length` is phrase, sentence or review."""
    classes = int(options.get("classes", 2))
    label = draw_label(writer, classes)
    grade = label / max(1, classes - 1)
    length = options.get("length", "review")
    if length == "review":
        text = writer.review(grade, 3, 14)
    elif length == "sentence":
        text = writer.review(grade, 1, 2)
    else:
        text = writer.opinion("good" if grade > 0.5 else "bad")
        text = writer.pick("adjectives") if writer.rare(0.03) else text
    if writer.rare(0.03):
        text += " " + writer.pick("unicode")
    return {"text": text, "label": label, "score": grade, "title": writer.phrase()}


def topic(writer: Writer, index: int, options: dict[str, Any]) -> Row:
    """News whose words follow its label; more classes than topics share them."""
    names = list(writer.words["topics"])
    label = draw_label(writer, int(options.get("classes", 4)))
    text = writer.news(names[label % len(names)])
    fine = draw_label(writer, int(options.get("fine", 6)))
    return {
        "text": text,
        "title": writer.phrase(),
        "label": label,
        "fine": fine,
        "question": writer.question(),
    }


def emotion(writer: Writer, index: int, options: dict[str, Any]) -> Row:
    """A first-person line that names a feeling."""
    feelings = list(writer.words["emotions"].values())
    label = draw_label(writer, int(options.get("classes", len(feelings))))
    word = writer.dice.choice(feelings[label % len(feelings)])
    return {"text": f"i feel {word} {writer.pick('connectives')} {writer.clause().lower()}", "label": label}


def acceptability(writer: Writer, index: int, options: dict[str, Any]) -> Row:
    """A sentence, its words shuffled when the label is 0."""
    label = 0 if writer.rare(0.3) else 1
    words = writer.sentence().split()
    if not label:
        writer.dice.shuffle(words)
    return {"text": " ".join(words), "label": label}


def pair(writer: Writer, index: int, options: dict[str, Any]) -> Row:
    """Two sentences: the same facts (label 0), others (the middle), or denied (the last)."""
    classes = int(options.get("classes", 2))
    label = draw_label(writer, classes)
    if options.get("unknown_labels") and writer.rare(0.02):
        label = -1
    first = writer.sentence()
    same, denied = first.replace("The ", "A ", 1), "It is not true that " + first[0].lower() + first[1:]
    second = same if label == 0 else denied if label == classes - 1 else writer.sentence()
    score = round(5.0 * writer.dice.random(), 3)
    return {
        "first": first,
        "second": "" if writer.rare(0.004) and options.get("empty") else second,
        "label": label,
        "score": score,
        "genre": writer.dice.choice(["fiction", "government", "slate", "telephone", "travel"]),
        "question": writer.question(),
        "question2": writer.question(),
        "passage": writer.passage(3, 7),
        "truth": bool(label),
    }


def summary(writer: Writer, index: int, options: dict[str, Any]) -> Row:
    """A long article and its short form."""
    opening = writer.sentence()
    article = opening + " " + writer.passage(int(options.get("least", 12)), int(options.get("most", 40)))
    short = "\n".join([opening, *(writer.sentence() for _ in range(writer.dice.randint(1, 3)))])
    talk = "\r\n".join(
        f"{writer.pick('first_names')}: {writer.clause()}" for _ in range(writer.dice.randint(3, 9))
    )
    topic = writer.pick("nouns")
    return {"article": article, "summary": short, "sentence": opening, "dialogue": talk, "topic": topic}


def arithmetic(writer: Writer, index: int, options: dict[str, Any]) -> Row:
    """A word problem, worked."""
    question, answer = writer.sum()
    result = answer.rpartition("#### ")[2]
    boxed = answer.rpartition("\n")[0] + f" The answer is $\\boxed{{{result}}}$."
    level = writer.dice.randint(1, 5)
    subject = writer.dice.choice(["Algebra", "Geometry", "Number Theory", "Prealgebra"])
    return {
        "question": question,
        "answer": answer,
        "result": result,
        "solution": boxed,
        "level": level,
        "level_text": f"Level {level}",
        "subject": subject,
    }


def plain(writer: Writer, index: int, options: dict[str, Any]) -> Row:
    """A line of running text: headings, empty lines and paragraphs as in a wiki dump."""
    kind = writer.dice.random()
    if options.get("wiki") and kind < 0.35:
        return {"text": ""}
    if options.get("wiki") and kind < 0.5:
        return {"text": f" = {writer.phrase().title()} = \n"}
    return {"text": f" {writer.passage(2, 8)} \n"}


def instruction(writer: Writer, index: int, options: dict[str, Any]) -> Row:
    """A task for an assistant, often without further input."""
    task = f"{writer.pick('verbs').capitalize()} {writer.phrase()} and explain why it matters."
    given = writer.sentence() if writer.rare(0.4) else ""
    reply = writer.passage(1, 6)
    opening = "Below is an instruction that describes a task."
    middle = f"\n\n### Input:\n{given}" if given else ""
    whole = f"{opening}\n\n### Instruction:\n{task}{middle}\n\n### Response:\n{reply}"
    category = writer.dice.choice(
        ["open_qa", "closed_qa", "brainstorming", "summarization", "classification"]
    )
    return {"instruction": task, "input": given, "output": reply, "text": whole, "category": category}


def choice(writer: Writer, index: int, options: dict[str, Any]) -> Row:
    """A question with options of which one is right."""
    count = int(options.get("choices", 4))
    texts = [writer.phrase() for _ in range(count)]
    right = writer.dice.randrange(count)
    letters = "ABCDEFGH"[:count]
    return {
        "question": writer.question(),
        "context": writer.passage(1, 3),
        "choices": texts,
        "labelled": {"text": texts, "label": list(letters)},
        "right": right,
        "right_text": str(right),
        "letter": letters[right],
        "best": texts[right],
        "wrong": [t for i, t in enumerate(texts) if i != right],
        "one_based": str(right + 1),
        "first": texts[0],
        "second": texts[1],
        "third": texts[count - 1],
        "blank": writer.sentence().replace(".", " because the _ was small."),
        "hot": {"choices": texts, "labels": [int(i == right) for i in range(count)]},
        "concept": writer.pick("nouns"),
        "truth": bool(right % 2),
        "subject": options.get("subject", "general"),
    }


def reading(writer: Writer, index: int, options: dict[str, Any]) -> Row:
    """A passage with a question whose answer is a span of it; some have none if `unanswerable`."""
    answer = writer.phrase()
    before, after = writer.passage(1, 3), writer.passage(1, 3)
    context = f"{before} Everyone knew {answer} well. {after}"
    none = bool(options.get("unanswerable")) and writer.rare(0.3)
    spans = {"text": [] if none else [answer], "answer_start": [] if none else [context.index(answer)]}
    return {
        "title": writer.phrase().title(),
        "context": context,
        "question": writer.question(),
        "answers": spans,
    }


def program(writer: Writer, index: int, options: dict[str, Any]) -> Row:
    """A small function, its description and its tests."""
    name, step = writer.pick("nouns") + "_plus", writer.dice.randint(1, 9)
    doc = f"Return the number x increased by {step}."
    head = f"def {name}(x: int) -> int:\n"
    tests = [f"assert {name}({n}) == {n + step}" for n in range(3)]
    body = f"    return x + {step}\n"
    check = f"def check(candidate):\n    assert candidate(1) == {1 + step}\n"
    return {
        "prompt": f'{head}    """{doc}"""\n',
        "description": f"Write a function {name} to {doc[0].lower()}{doc[1:]}",
        "code": head + body,
        "body": body,
        "tests": tests,
        "check": check,
        "name": name,
        "setup": "",
        "challenge": [],
        "imports": [],
        "task_id": f"HumanEval/{index}",
        "source": "rehearsal",
    }


def translation(writer: Writer, index: int, options: dict[str, Any]) -> Row:
    """The same short statement in two languages."""
    words = writer.dice.sample(sorted(writer.words["german"]), 2)
    foreign = [writer.words["german"][w] for w in words]
    source, target = options.get("languages", ["de", "en"])
    texts = {"en": f"The {words[0]} and the {words[1]}.", "other": f"{foreign[0]} und {foreign[1]}."}
    return {
        "translation": {code: texts["en"] if code == "en" else texts["other"] for code in (source, target)}
    }


def tagged(writer: Writer, index: int, options: dict[str, Any]) -> Row:
    """Tokens with entity, word-class and chunk tags; entities are numbered B, I in the order given."""
    kinds = list(options.get("entities", ["PER", "ORG", "LOC", "MISC"]))
    groups = {"PER": None, "ORG": "organisations", "LOC": "places", "MISC": "miscellaneous"}
    tokens: list[str] = []
    tags: list[int] = []
    parts: list[int] = []
    chunks: list[int] = []

    def put(text: str, part: int, chunk: int, kind: str = "") -> None:
        for place, word in enumerate(text.split()):
            tokens.append(word)
            tags.append(0 if not kind else 1 + 2 * kinds.index(kind) + min(place, 1))
            parts.append(part)
            chunks.append(chunk if place == 0 else CHUNK_INSIDE)

    def name() -> None:
        # The last kind of entity is the rare one.
        kind = kinds[-1] if writer.rare(0.06) else writer.dice.choice(kinds[:-1] or kinds)
        group = groups.get(kind, "nouns")
        put(writer.person() if group is None else writer.pick(group), POS_NAME, CHUNK_NOUN, kind)

    if writer.rare(0.08):
        name()
    else:
        for _ in range(writer.dice.randint(1, 4)):
            name()
            put(writer.pick("verbs_past"), POS_VERB, CHUNK_VERB)
            put("the", POS_DETERMINER, CHUNK_NOUN)
            put(writer.pick("adjectives"), POS_ADJECTIVE, CHUNK_INSIDE)
            put(writer.pick("nouns"), POS_NOUN, CHUNK_INSIDE)
        put(".", POS_OTHER, OUTSIDE)
    return {"tokens": tokens, "tags": tags, "pos": parts, "chunks": chunks}


def conversation(writer: Writer, index: int, options: dict[str, Any]) -> Row:
    """Turns of a user and an assistant."""
    turns = [
        {"role": role, "content": writer.passage(1, 3)}
        for _ in range(writer.dice.randint(1, 3))
        for role in ("user", "assistant")
    ]
    return {
        "messages": turns,
        "prompt": turns[0]["content"],
        "chosen": writer.sentence(),
        "rejected": writer.clause(),
    }


MAKERS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        sentiment,
        topic,
        emotion,
        acceptability,
        pair,
        summary,
        arithmetic,
        plain,
        instruction,
        choice,
        reading,
        program,
        translation,
        tagged,
        conversation,
    )
}
