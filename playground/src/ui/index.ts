export { Button, IconButton, LinkButton } from "./button.tsx";
export { Confirm, Dialog } from "./dialog.tsx";
export { Field, type FieldIds, Select, Switch, TextArea, TextInput } from "./field.tsx";
export { Icon, type IconName } from "./icon.tsx";
export { Bar, CopyButton, Empty, Menu, Skeleton, Spinner, Tabs, Time } from "./parts.tsx";
export { fieldErrors, Problem } from "./problem.tsx";
export { toast, Toasts } from "./toast.tsx";
