import type { ButtonHTMLAttributes, ComponentChildren } from "preact";
import { Icon, type IconName } from "./icon.tsx";

type Native = Omit<ButtonHTMLAttributes, "icon" | "class" | "size">;

export interface ButtonProps extends Native {
  readonly kind?: "primary" | "secondary" | "quiet" | "danger";
  /** Shows that the action is running, and keeps it from being started again. */
  readonly busy?: boolean;
  readonly icon?: IconName;
  readonly small?: boolean;
  readonly children: ComponentChildren;
}

/** A button with a text. It submits nothing unless its `type` says so. */
export function Button({
  kind = "secondary",
  busy = false,
  icon,
  small = false,
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      class="button"
      data-kind={kind}
      data-small={small || undefined}
      aria-busy={busy || undefined}
      disabled={busy || rest.disabled}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} size={16} />}
      <span>{children}</span>
    </button>
  );
}

export interface LinkButtonProps {
  readonly href: string;
  readonly kind?: ButtonProps["kind"];
  readonly icon?: IconName;
  readonly small?: boolean;
  readonly children: ComponentChildren;
}

/** A link that looks like a button. */
export function LinkButton({ href, kind = "secondary", icon, small = false, children }: LinkButtonProps) {
  return (
    <a class="button" href={href} data-kind={kind} data-small={small || undefined}>
      {icon && <Icon name={icon} size={16} />}
      <span>{children}</span>
    </a>
  );
}

export interface IconButtonProps extends Native {
  readonly icon: IconName;
  /** What it does, for screen readers and as a tip. */
  readonly label: string;
  readonly kind?: ButtonProps["kind"];
}

/** A button that shows an icon only. */
export function IconButton({ icon, label, kind = "quiet", ...rest }: IconButtonProps) {
  return (
    <button type="button" {...rest} class="icon-button" data-kind={kind} aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}
