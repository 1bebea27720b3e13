"""Build a conversation and render the prompt: `python examples/render.py`."""

from harmony import (
    Conversation,
    DeveloperContent,
    Message,
    ReasoningEffort,
    Role,
    SystemContent,
    ToolDescription,
    load_harmony_encoding,
)

enc = load_harmony_encoding("HarmonyGptOss")

system = SystemContent.new().with_reasoning_effort(ReasoningEffort.LOW)
developer = (
    DeveloperContent.new()
    .with_instructions("Answer in one sentence.")
    .with_function_tools(
        [
            ToolDescription.new(
                "get_current_weather",
                "Gets the current weather in the provided location.",
                {
                    "type": "object",
                    "properties": {"location": {"type": "string"}},
                    "required": ["location"],
                },
            )
        ]
    )
)
conversation = Conversation.from_messages(
    [
        Message.from_role_and_content(Role.SYSTEM, system),
        Message.from_role_and_content(Role.DEVELOPER, developer),
        Message.from_role_and_content(Role.USER, "What is the weather like in Lisbon?"),
    ]
)

tokens = enc.render_conversation_for_completion(conversation, Role.ASSISTANT)
print(enc.decode(tokens))
print(f"\n{len(tokens)} tokens; stop sampling at {enc.stop_tokens_for_assistant_actions()}")
