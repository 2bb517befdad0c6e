// Before the components, whose own rules come later and win.
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/ui.css";
import "./styles/shell.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { CONNECT_PATH, keepRequest, waitingRequest } from "./connect-request.ts";
import { Session, SessionProvider } from "./session.tsx";
import { applyTheme, storedTheme } from "./theme.ts";

applyTheme(storedTheme());

const root = document.getElementById("app");
if (root === null) throw new Error("The page has no element for the app.");

const session = new Session({ baseUrl: location.origin });
void resume();
render(
  <SessionProvider session={session}>
    <App />
  </SessionProvider>,
  root,
);

async function resume(): Promise<void> {
  // Now, because signing in may lead to another site.
  if (location.pathname === CONNECT_PATH) keepRequest(location.search);
  await session.resume();
  // MCP clients lead to CONNECT_PATH, the issuer back to /login-success or /login. Screens have their addresses behind the hash of /.
  if (location.pathname === "/") return;
  history.replaceState(null, "", `/${hashFor(location)}`);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

function hashFor({ pathname, search, hash }: Location): string {
  if (pathname === CONNECT_PATH) return "#/connect";
  const error = new URLSearchParams(search).get("error");
  if (error !== null) return `#/sign-in?error=${encodeURIComponent(error)}`;
  return pathname === "/login-success" && waitingRequest() !== null ? "#/connect" : hash;
}
