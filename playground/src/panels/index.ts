import type { ComponentType } from "preact";
import type { Agent } from "../types.ts";
import type { IconName } from "../ui/index.ts";
import { AccountScreen } from "./account-screen.tsx";
import { ArchivalPanel } from "./archival-panel.tsx";
import { ConnectScreen } from "./connect-screen.tsx";
import { ContextPanel } from "./context-panel.tsx";
import { KeysScreen } from "./keys-screen.tsx";
import { KnowledgePanel } from "./knowledge-panel.tsx";
import { KnowledgeScreen } from "./knowledge-screen.tsx";
import { MemoryPanel } from "./memory-panel.tsx";
import { PassageOverlay } from "./passage-dialog.tsx";
import { ProvidersScreen } from "./providers-screen.tsx";
import { UsageScreen } from "./usage-screen.tsx";

/** A panel beside the chat. */
export interface SidePanel {
  readonly id: string;
  readonly label: string;
  readonly Component: ComponentType<{ agent: Agent; conversationId: string | undefined }>;
}

/** A page of its own. */
export interface PanelPage {
  readonly id: string;
  readonly label: string;
  readonly icon: IconName;
  /** `path` is what stands in the address behind the page's id. */
  readonly Component: ComponentType<{ path: readonly string[] }>;
}

export const SIDE_PANELS: readonly SidePanel[] = [
  { id: "memory", label: "Memory", Component: MemoryPanel },
  { id: "archival", label: "Archive", Component: ArchivalPanel },
  { id: "context", label: "Context", Component: ContextPanel },
  { id: "knowledge", label: "Knowledge", Component: KnowledgePanel },
];

export const PAGES: readonly PanelPage[] = [
  { id: "knowledge", label: "Knowledge", icon: "knowledge", Component: KnowledgeScreen },
  { id: "providers", label: "Providers", icon: "provider", Component: ProvidersScreen },
  { id: "usage", label: "Usage", icon: "chart", Component: UsageScreen },
  { id: "keys", label: "API keys", icon: "key", Component: KeysScreen },
  { id: "account", label: "Account", icon: "account", Component: AccountScreen },
];

/** Fills the page: whoever decides about a program should see nothing else. */
export const Connecting: ComponentType = ConnectScreen;

/** What any part of the page may open above it. Mounted once. */
export const Overlays: ComponentType = PassageOverlay;
