#!/bin/sh
# A conversation by curl: signs in, creates an agent, tells it something, and asks for it in a second conversation.
#
# API_URL    the address of the service; http://localhost:8787 if unset
# API_TOKEN  an API key with the scopes agents:read, agents:write, conversations:read and conversations:write; without it, an
#            account of local development is used
set -eu

api=${API_URL:-http://localhost:8787}
pick() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
call() { curl -sS --fail-with-body -H "authorization: Bearer $token" "$@"; }

if [ -n "${API_TOKEN:-}" ]; then
  token=$API_TOKEN
else
  account='{"username":"curl-example","password":"secret"}'
  # A status of 400 or more means that the account exists.
  answer=$(curl -sS -f "$api/auth/local/signup" --json "$account" 2>/dev/null) ||
    answer=$(curl -sS --fail-with-body "$api/auth/local/login" --json "$account")
  token=$(printf '%s' "$answer" | pick token)
fi

# Creating an agent again returns the one that has the name.
agent=$(call "$api/agents" --json "{\"agent_name\":\"curl example\",\"agent_architecture\":\"krishna-memgpt\",
  \"agent_provider\":\"${PROVIDER:-Demo}\",\"agent_model\":\"${MODEL:-demo}\",
  \"agent_persona\":\"A friendly assistant.\"}" | pick agent_id)

# Opens a conversation, sends one message, and prints the whole answer.
ask() {
  conversation=$(call "$api/conversations" --json "{\"title\":\"$1\",\"agent_id\":\"$agent\"}" | pick conversation_id)
  printf 'you    %s\n' "$2"
  printf 'agent  %s\n' "$(call "$api/agents/$agent/$conversation/send-message" --json "{\"content\":\"$2\"}" | pick content)"
}

ask "First" "My name is Alice and I live in Lisbon."
ask "Second" "Where do I live?"
