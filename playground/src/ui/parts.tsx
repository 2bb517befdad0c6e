import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { fullTime, timeAgo } from "../format.ts";
import { IconButton } from "./button.tsx";
import { Icon, type IconName } from "./icon.tsx";

export interface EmptyProps {
  readonly icon: IconName;
  readonly title: string;
  /** What it is for and how to begin. */
  readonly children: ComponentChildren;
  readonly action?: ComponentChildren;
}

/** Stands where there is nothing yet, and says what will be there. */
export function Empty({ icon, title, children, action }: EmptyProps) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={22} />
      </span>
      <h2 class="empty-title">{title}</h2>
      <div class="empty-text">{children}</div>
      {action}
    </div>
  );
}

/** Shows that something is being loaded or done. */
export function Spinner({ label = "Loading" }: { readonly label?: string }) {
  return (
    <span class="spinner-box" role="status">
      <span class="spinner" aria-hidden="true" />
      <span class="visually-hidden">{label}</span>
    </span>
  );
}

/** Grey lines in place of what is being loaded. */
export function Skeleton({ lines = 3 }: { readonly lines?: number }) {
  return (
    <div class="skeleton" role="status">
      <span class="visually-hidden">Loading</span>
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} class="skeleton-line" aria-hidden="true" />
      ))}
    </div>
  );
}

export interface BarProps {
  readonly value: number;
  readonly max: number;
  /** What is measured, for screen readers. */
  readonly label: string;
}

/** How much of something is used. */
export function Bar({ value, max, label }: BarProps) {
  const share = max > 0 ? Math.min(1, value / max) : 0;
  const level = share >= 1 ? "full" : share >= 0.8 ? "high" : undefined;
  return (
    <div
      class="bar"
      role="meter"
      aria-label={label}
      aria-valuenow={value}
      aria-valuemin={0}
      aria-valuemax={max}
      data-level={level}
    >
      <span class="bar-fill" style={{ inlineSize: `${share * 100}%` }} />
    </div>
  );
}

export interface TabsProps {
  readonly label: string;
  readonly tabs: readonly { readonly id: string; readonly label: ComponentChildren }[];
  readonly selected: string;
  readonly onSelect: (id: string) => void;
  /** The content of the selected tab. */
  readonly children: ComponentChildren;
}

/** Tabs: the arrow keys, Home and End move between them. */
export function Tabs({ label, tabs, selected, onSelect, children }: TabsProps) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const index = tabs.findIndex((tab) => tab.id === selected);
    const target = {
      ArrowRight: (index + 1) % tabs.length,
      ArrowLeft: (index - 1 + tabs.length) % tabs.length,
      Home: 0,
      End: tabs.length - 1,
    }[event.key];
    const tab = target === undefined ? undefined : tabs[target];
    if (target === undefined || tab === undefined) return;
    event.preventDefault();
    onSelect(tab.id);
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[target]?.focus();
  };
  return (
    <div class="tabs">
      <div class="tabs-list" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            class="tab"
            id={`${id}-${tab.id}`}
            aria-selected={tab.id === selected}
            aria-controls={`${id}-panel`}
            tabIndex={tab.id === selected ? 0 : -1}
            onClick={() => onSelect(tab.id)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div
        class="tabs-panel"
        role="tabpanel"
        id={`${id}-panel`}
        aria-labelledby={`${id}-${selected}`}
        tabIndex={0}
      >
        {children}
      </div>
    </div>
  );
}

export interface MenuItem {
  readonly label: string;
  readonly icon?: IconName;
  readonly danger?: boolean;
  readonly onSelect: () => void;
}

/** A button that opens a short list of actions. */
export function Menu({
  label,
  items,
  icon = "more",
}: {
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly icon?: IconName;
}) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const buttons = () => [...(box.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];

  useEffect(() => {
    if (!open) return;
    buttons()[0]?.focus();
    const closeOutside = (event: Event) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", closeOutside);
    return () => document.removeEventListener("pointerdown", closeOutside);
  }, [open]);

  const close = () => {
    setOpen(false);
    box.current?.querySelector("button")?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!open) return;
    const all = buttons();
    const at = all.findIndex((button) => button === document.activeElement);
    if (event.key === "Escape" || event.key === "Tab") close();
    else if (event.key === "ArrowDown") all[(at + 1) % all.length]?.focus();
    else if (event.key === "ArrowUp") all[(at - 1 + all.length) % all.length]?.focus();
    else return;
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="menu" ref={box} onKeyDown={onKeyDown}>
      <IconButton
        icon={icon}
        label={label}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      />
      {open && (
        <div class="menu-list" role="menu" aria-label={label}>
          {items.map((item) => (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              tabIndex={-1}
              class="menu-item"
              data-danger={item.danger || undefined}
              onClick={() => {
                close();
                item.onSelect();
              }}
            >
              {item.icon && <Icon name={item.icon} size={16} />}
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/** A time as people say it. The full time is in its tip. */
export function Time({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={fullTime(at)}>
      {timeAgo(at)}
    </time>
  );
}

/** A button that copies a text, and says that it has. */
export function CopyButton({ text, label = "Copy" }: { readonly text: string; readonly label?: string }) {
  const [said, setSaid] = useState<string>();
  useEffect(() => {
    if (said === undefined) return;
    const timer = setTimeout(() => setSaid(undefined), 1_500);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setSaid("Copied"),
      () => setSaid("Copying is not allowed here"),
    );
  return (
    <>
      <IconButton
        icon={said === "Copied" ? "check" : "copy"}
        label={said ?? label}
        onClick={() => void copy()}
      />
      <span class="visually-hidden" role="status">
        {said}
      </span>
    </>
  );
}
