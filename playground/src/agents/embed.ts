/** Returns the origins that somebody has written, on lines of their own or with commas between them. The service checks them. */
export const originsIn = (text: string): string[] => text.split(/[\s,]+/u).filter((origin) => origin !== "");

/** Returns the line of HTML that adds the chat to a page. `api` is the origin of the service. */
export const snippetFor = (
  api: string,
  { agent_id: agentId, public_key: key }: { readonly agent_id: string; readonly public_key: string },
): string => `<script src="${api}/widget.js" data-agent="${agentId}" data-key="${key}" defer></script>`;
