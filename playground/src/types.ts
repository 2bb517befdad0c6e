export type { Agent, Citation, Conversation, Form, Message, RunEvent } from "../../client/src/index.ts";
