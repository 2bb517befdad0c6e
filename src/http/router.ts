import { Hono } from "hono";
import type { AppEnv, UserEnv } from "./env.ts";

/** A router whose handlers know who calls. `authenticate` stands before all of them, in the app. */
export const userRouter = () => new Hono<UserEnv>();

/** A router for routes that anybody may call; each of them says so by `access: "public"`. */
export const publicRouter = () => new Hono<AppEnv>();
