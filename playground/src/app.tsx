import { useEffect, useRef } from "preact/hooks";
import { AgentForm } from "./agents/agent-form.tsx";
import { AgentList } from "./agents/agent-list.tsx";
import { ChatScreen } from "./chat/chat-screen.tsx";
import { Connecting, Overlays, PAGES } from "./panels/index.ts";
import { href, useRoute } from "./router.ts";
import { usePageSession, useSessionState } from "./session.tsx";
import { Shell } from "./shell.tsx";
import { SignIn } from "./sign-in.tsx";
import { Empty, LinkButton, Problem, Spinner, Toasts } from "./ui/index.ts";

/** The whole page. */
export function App() {
  return (
    <>
      <Screens />
      <Toasts />
    </>
  );
}

function Screens() {
  const session = usePageSession();
  const state = useSessionState();
  const [screen] = useRoute();
  switch (state.kind) {
    case "loading":
      return (
        <div class="splash">
          <Spinner />
        </div>
      );
    case "failed":
      return (
        <main class="splash">
          <Problem error={state.error} retry={() => void session.resume()} />
        </main>
      );
    case "signed-out":
      return <SignIn notice={state.notice} />;
    case "signed-in":
      if (screen === "connect") return <Connecting key={state.person.email} />;
      return (
        // Nothing that was loaded for one person is shown to another.
        <Shell key={state.person.email}>
          <Screen />
          <Overlays />
        </Shell>
      );
  }
}

function Screen() {
  const route = useRoute();
  const [first = "agents", second, third] = route;
  useFocusAfterNavigation(`${first}/${second ?? ""}`);

  const page = PAGES.find(({ id }) => id === first);
  if (page) return <page.Component path={route.slice(1)} />;
  // After signing in, the address may still be that of the sign-in page.
  if (first === "sign-in" || (first === "agents" && second === undefined)) return <AgentList />;
  if (first === "agents" && second === "new") return <AgentForm agentId={undefined} />;
  if (first === "agents" && second !== undefined && third === "edit")
    return <AgentForm key={second} agentId={second} />;
  if (first === "chat" && second !== undefined)
    return <ChatScreen key={second} agentId={second} conversationId={third} />;
  return (
    <div class="page">
      <Empty
        icon="search"
        title="There is no such page"
        action={
          <LinkButton href={href("agents")} kind="primary">
            Go to your agents
          </LinkButton>
        }
      >
        <p>The address may be incomplete, or from an earlier version.</p>
      </Empty>
    </div>
  );
}

/** Moves the focus to the heading of a new screen, so that keyboards and screen readers begin there. */
function useFocusAfterNavigation(screen: string): void {
  const isFirst = useRef(true);
  useEffect(() => {
    const heading = document.querySelector<HTMLElement>("main h1");
    if (heading) document.title = `${heading.textContent} · Dynamic Agent Builder`;
    // While the page is loaded, the focus is where the browser has put it.
    const wasFirst = isFirst.current;
    isFirst.current = false;
    // A field of the new screen may have the focus already.
    if (wasFirst || !heading || document.activeElement?.closest("main")) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }, [screen]);
}
