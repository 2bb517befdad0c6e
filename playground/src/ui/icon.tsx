/** The outlines of the icons, in a box of 24 by 24. */
const PATHS = {
  account: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 8a7 7 0 0 1 14 0",
  agent:
    "M12 3v3M6 8h12a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2Zm3 5h.01M15 13h.01M9.5 16h5",
  alert: "M12 8v5m0 3.5h.01M12 3 2.5 20h19L12 3Z",
  archive: "M4 5h16v4H4V5Zm1.5 4v10h13V9M10 13h4",
  attach: "m20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7l-8.5 8.4a1.7 1.7 0 0 1-2.4-2.4L14.5 7",
  back: "M19 12H5m6-6-6 6 6 6",
  chart: "M4 20V4m0 16h16M8.5 16v-4m4 4V8m4 8v-6",
  chat: "M4 5h16v11H9.5L5 20v-4H4V5Z",
  check: "m5 12.5 4.5 4.5L19 7.5",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h11v11H9V9Zm-3 6H4V4h11v2",
  dark: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5Z",
  down: "m6 9.5 6 6 6-6",
  edit: "M4 20h4L19.5 8.5l-4-4L4 16v4Zm9.5-13.5 4 4",
  external: "M13 5h6v6m0-6-9 9M10 6H5v13h13v-5",
  file: "M6 3h8l5 5v13H6V3Zm8 0v5h5",
  gear: "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm7.5-3a7.5 7.5 0 0 0-.1-1.3l2-1.5-2-3.400-2.3 1a7.5 7.5 0 0 0-2.3-1.3L14.5 3h-5l-.3 2.5A7.5 7.5 0 0 0 6.900 6.800l-2.3-1-2 3.400 2 1.5a7.5 7.5 0 0 0 0 2.600l-2 1.5 2 3.400 2.3-1a7.5 7.5 0 0 0 2.3 1.3l.3 2.5h5l.3-2.5a7.5 7.5 0 0 0 2.3-1.3l2.3 1 2-3.400-2-1.5c.1-.4.1-.9.1-1.3Z",
  globe:
    "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3 12h18M12 3c2.500 2.600 3.700 5.600 3.700 9s-1.200 6.400-3.700 9c-2.500-2.600-3.700-5.600-3.700-9s1.200-6.400 3.700-9Z",
  history: "M4 5v5h5M4.5 10A8 8 0 1 1 4 14m8-6v4.5l3 2",
  key: "M14.5 13.5a5 5 0 1 0-4-4L3 17v4h4v-2.5h2.5V16H12l2.5-2.5ZM16.5 7.5h.01",
  knowledge: "M4 5a2 2 0 0 1 2-2h13v15H6a2 2 0 0 0-2 2V5Zm0 15a1.5 1.5 0 0 0 1.5 1.5H19V18M8 7.5h7M8 11h5",
  layers: "m12 3 9 5-9 5-9-5 9-5Zm-9 9.5 9 5 9-5M3 17l9 5 9-5",
  light:
    "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm0-13v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.600 5.600l1.100 1.100M17.3 17.3l1.100 1.100M18.400 5.600l-1.100 1.100M6.700 17.3l-1.100 1.100",
  link: "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.5-5.700L12 7.3m2 2.700a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.5 5.700l1.5-1.5",
  memory:
    "M12 4.5A3 3 0 0 0 6.5 6 3 3 0 0 0 4 10.5 3 3 0 0 0 5 16a3 3 0 0 0 4 3.5 2.5 2.5 0 0 0 3-.5m0-14.5A3 3 0 0 1 17.5 6a3 3 0 0 1 2.5 4.5A3 3 0 0 1 19 16a3 3 0 0 1-4 3.5 2.5 2.5 0 0 1-3-.5m0-14.5V19",
  menu: "M4 6.5h16M4 12h16M4 17.5h16",
  more: "M6.2 12a.7.7 0 1 1-1.4 0 .7.7 0 0 1 1.4 0Zm6.5 0a.7.7 0 1 1-1.4 0 .7.7 0 0 1 1.4 0Zm6.5 0a.7.7 0 1 1-1.4 0 .7.7 0 0 1 1.4 0Z",
  panel: "M4 5h16v14H4V5Zm10 0v14",
  plus: "M12 5v14M5 12h14",
  provider: "M7 4v5m10-5v5M5 9h14v3a7 7 0 0 1-14 0V9Zm7 10v2",
  refresh: "M20 5v5h-5M19.5 10A8 8 0 1 0 20 14",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm5-2 4.5 4.5",
  send: "M12 19V5m-6 6 6-6 6 6",
  signOut: "M15 4h4v16h-4M10 8l-4 4 4 4m-4-4h9",
  stop: "M7.5 7.5h9v9h-9z",
  system: "M4 5h16v11H4V5Zm5 15h6m-3-4v4",
  tool: "M14.5 6.5a4 4 0 0 1 5-1l-3 3 1 1 3-3a4 4 0 0 1-5.5 5L8 18.5a2 2 0 0 1-2.5-2.5L12.5 9a4 4 0 0 1 2-2.5Z",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 11v5.5m3-5.5v5.5",
  undo: "M8 5 4 9l4 4M4.5 9H14a5.5 5.5 0 0 1 0 11h-4",
  up: "m6 14.5 6-6 6 6",
  upload: "M12 15V4m-5 5 5-5 5 5M4 15v5h16v-5",
} as const;

export type IconName = keyof typeof PATHS;

/** An icon. It says nothing to screen readers: what it stands for is the label of its button, or the text beside it. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.7"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
