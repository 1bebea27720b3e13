"""Messages as fields of pydantic models, as servers declare them with openai_harmony."""

from __future__ import annotations

import sys

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from harmony import Content, Conversation, DeveloperContent, Message, Role, TextContent

MESSAGE = Message.from_role_and_content(Role.USER, "hi").with_channel("final")


class Request(BaseModel):
    messages: list[Message | str] = []
    history: Conversation | None = None


def test_objects_are_taken_as_they_are():
    request = Request(messages=[MESSAGE, "text"])
    assert request.messages[0] is MESSAGE
    assert request.messages[1] == "text"


def test_dicts_become_objects_and_go_back():
    request = Request(messages=[MESSAGE.to_dict()], history={"messages": [MESSAGE.to_dict()]})
    assert request.messages == [MESSAGE]
    assert request.history == Conversation([MESSAGE])
    assert Request.model_validate_json(request.model_dump_json()) == request
    assert request.model_dump()["history"] == Conversation([MESSAGE]).to_dict()


def test_junk_is_pydantics_error_with_our_sentence():
    with pytest.raises(ValidationError, match="the field 'role' is missing"):
        Request(history={"messages": [{}]})
    with pytest.raises(ValidationError, match="expected an object"):
        TypeAdapter(Message).validate_python(5)


@pytest.mark.parametrize("kind", [Message, Conversation, TextContent, DeveloperContent])
def test_a_model_of_them_can_be_described(kind):
    schema = TypeAdapter(kind).json_schema()
    assert schema["type"] == "object"
    assert schema["title"] == kind.__name__
    assert schema["description"]


def test_a_content_is_read_by_its_type():
    content = TypeAdapter(Content).validate_python({"type": "text", "text": "hi"})
    assert content == TextContent("hi")


def test_pydantic_is_not_imported_unless_it_asks():
    import subprocess

    code = "import harmony, sys; harmony.Message, harmony.load_harmony_encoding; "
    code += "sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
