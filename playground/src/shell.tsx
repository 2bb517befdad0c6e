import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { PAGES } from "./panels/index.ts";
import { href, useRoute } from "./router.ts";
import { useSession, useSignOut } from "./session.tsx";
import { applyTheme, storedTheme, themeAfter, type Theme } from "./theme.ts";
import { Icon, IconButton, type IconName, toast } from "./ui/index.ts";

const THEME_ICONS: Readonly<Record<Theme, IconName>> = { system: "system", light: "light", dark: "dark" };

/** The frame around every screen: navigation, and the account. On a phone, the navigation is behind a button. */
export function Shell({ children }: { readonly children: ComponentChildren }) {
  const [isOpen, setOpen] = useState(false);
  const route = useRoute();
  const [screen = "agents"] = route;
  useEffect(() => setOpen(false), [route.join("/")]);
  useEffect(() => {
    if (!isOpen) return;
    const close = (event: KeyboardEvent) => event.key === "Escape" && setOpen(false);
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [isOpen]);

  const links: readonly { readonly id: string; readonly label: string; readonly icon: IconName }[] = [
    { id: "agents", label: "Agents", icon: "agent" },
    ...PAGES,
  ];
  return (
    <div class="shell" data-open={isOpen || undefined}>
      <a
        class="skip-link"
        href="#main"
        onClick={(event) => {
          // The hash is the address of the screen.
          event.preventDefault();
          document.getElementById("main")?.focus();
        }}
      >
        Skip to the content
      </a>
      <header class="topbar">
        <IconButton
          icon="menu"
          label="Navigation"
          aria-expanded={isOpen}
          aria-controls="sidebar"
          onClick={() => setOpen(!isOpen)}
        />
        <Brand />
      </header>
      {isOpen && <div class="backdrop" onClick={() => setOpen(false)} />}
      <aside class="sidebar" id="sidebar" aria-label="Navigation and account">
        <Brand />
        <nav aria-label="Main">
          <ul class="nav">
            {links.map(({ id, label, icon }) => (
              <li key={id}>
                <a
                  class="nav-link"
                  href={href(id)}
                  title={label}
                  aria-current={id === screen || (id === "agents" && screen === "chat") ? "page" : undefined}
                >
                  <Icon name={icon} />
                  <span class="nav-label">{label}</span>
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <span class="spacer" />
        <Foot />
      </aside>
      <main id="main" class="main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function Brand() {
  return (
    <a class="brand" href={href("agents")} aria-label="Dynamic Agent Builder: your agents">
      <svg width="28" height="28" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="9" class="brand-box" />
        <path d="M9 10.5h14M9 16h9M9 21.5h5" class="brand-lines" />
        <circle cx="22.5" cy="21" r="3" class="brand-dot" />
      </svg>
      <span class="brand-name">Agent Builder</span>
    </a>
  );
}

function Foot() {
  const person = useSession();
  const signOut = useSignOut();
  const [theme, setTheme] = useState(storedTheme);
  const next = themeAfter(theme);
  const leave = () =>
    signOut().catch(() =>
      toast("You are signed out on this page. The service could not be told.", { kind: "error" }),
    );
  return (
    <div class="foot">
      <div class="foot-person" title={person.email}>
        <span class="avatar" aria-hidden="true">
          {person.name.slice(0, 1).toUpperCase() || "?"}
        </span>
        <span class="foot-name">{person.name}</span>
      </div>
      <IconButton
        icon={THEME_ICONS[theme]}
        label={`Theme: ${theme}. Change to ${next}`}
        onClick={() => {
          applyTheme(next);
          setTheme(next);
        }}
      />
      <IconButton icon="signOut" label="Sign out" onClick={() => void leave()} />
    </div>
  );
}
