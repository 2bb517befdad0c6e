"""A conversation with `requests`: streams an answer and prints it as it comes.

Install the one dependency with `pip install requests`. Settings:

API_URL    the address of the service; http://localhost:8787 if unset
API_TOKEN  an API key with the scopes agents and conversations (:read and :write); without it, an account of local development
           is used
"""

import json
import os
import uuid

import requests

API = os.environ.get("API_URL", "http://localhost:8787")
# Seconds to connect, and between two pieces of an answer. The service sends a comment every 15 seconds.
TIMEOUT = (5, 60)


def local_token() -> str:
    """Signs up with a local account, or logs in if it exists."""
    account = {"username": "python-example", "password": "secret"}
    for step in ("signup", "login"):
        response = requests.post(f"{API}/auth/local/{step}", json=account, timeout=TIMEOUT)
        if response.ok:
            return response.json()["token"]
    raise SystemExit(f"Nobody can sign in at {API} without a token. Set API_TOKEN to an API key.")


session = requests.Session()
session.headers["authorization"] = f"Bearer {os.environ.get('API_TOKEN') or local_token()}"


def request(method: str, path: str, **options) -> requests.Response:
    """Sends a request. Ends the program with the service's own sentence if the answer is a problem."""
    response = session.request(method, f"{API}{path}", timeout=TIMEOUT, **options)
    if not response.ok:
        raise SystemExit(f"{method} {path}: {response.status_code} {response.text}")
    return response


def turn(agent_id: str, conversation_id: str, content: str):
    """Sends a message and yields the events of the turn."""
    path = f"/agents/{agent_id}/{conversation_id}/send-message"
    headers = {"accept": "text/event-stream", "idempotency-key": str(uuid.uuid4())}
    with request("POST", path, json={"content": content}, headers=headers, stream=True) as response:
        response.encoding = "utf-8"
        for line in response.iter_lines(decode_unicode=True):
            if line.startswith("data: "):
                yield json.loads(line[len("data: ") :])


def main() -> None:
    agent = request(
        "POST",
        "/agents",
        json={
            "agent_name": "Python example",
            "agent_architecture": "krishna-memgpt",
            "agent_provider": os.environ.get("PROVIDER", "Demo"),
            "agent_model": os.environ.get("MODEL", "demo"),
            "agent_persona": "A friendly assistant.",
        },
    ).json()

    for content in ("My name is Alice and I live in Lisbon.", "Where do I live?"):
        conversation = request(
            "POST", "/conversations", json={"title": content[:40], "agent_id": agent["agent_id"]}
        ).json()
        print(f"you    {content}\nagent  ", end="")
        for event in turn(agent["agent_id"], conversation["conversation_id"], content):
            if event["event_type"] == "AGENT_RESPONSE_TO_USER":
                print(event["content"], end="", flush=True)
            if event["event_type"] == "ERROR":
                raise SystemExit(f"{event['code']}: {event['content']}")
        print()


if __name__ == "__main__":
    main()
