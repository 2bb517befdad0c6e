import { createServer } from "node:http";
import { listenOn } from "./listen.ts";

/** A minimal page that does what an application does around a sign-in. */
const pageFor = (api: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sign in</title>
<p><a href="${api}/auth/google">Sign in</a> <button id="refresh">Refresh</button> <button id="logout">Sign out</button></p>
<pre id="out"></pre>
<script type="module">
  const api = ${JSON.stringify(api)};
  const show = (value) => { document.querySelector("#out").textContent = value; };
  const post = (path) => fetch(api + path, { method: "POST", credentials: "include" });

  async function refresh() {
    const answer = await (await post("/auth/refresh")).json();
    if (!answer.token) return show(answer.detail);
    const headers = { authorization: "Bearer " + answer.token };
    const sessions = await (await fetch(api + "/auth/sessions", { headers, credentials: "include" })).json();
    show(JSON.stringify({ ...answer, token: answer.token.slice(0, 20) + "...", sessions: sessions.items }, null, 2));
  }
  document.querySelector("#refresh").onclick = refresh;
  document.querySelector("#logout").onclick = async () => show("signed out: " + (await post("/auth/logout")).status);
  if (location.pathname === "/login-success") await refresh();
  if (location.pathname === "/login") show("not signed in: " + new URLSearchParams(location.search).get("error"));
</script>
</html>
`;

/** Serves a page on a port to try the sign-in of the API at this address. */
export async function startSignInPage(
  api: string,
  port: number,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end(pageFor(api));
  });
  const stop = await listenOn(server, port);
  // By name: cookies of `localhost` know no ports.
  return { url: `http://localhost:${port}`, stop };
}
