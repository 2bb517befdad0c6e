// Before the components, whose own rules come later and win.
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/ui.css";
import "./styles/shell.css";
import { render } from "preact";
import { App } from "./app.tsx";
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
  await session.resume();
  // The issuer leads back to /login-success or /login. Screens have their addresses behind the hash of /.
  if (location.pathname === "/") return;
  const error = new URLSearchParams(location.search).get("error");
  const hash = error === null ? location.hash : `#/sign-in?error=${encodeURIComponent(error)}`;
  history.replaceState(null, "", `/${hash}`);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
