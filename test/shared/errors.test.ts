import { describe, expect, it } from "vitest";
import { AppError, notFound } from "../../src/shared/errors.ts";

describe("an error for the caller", () => {
  it("has the status, the title and the retryability of its code", () => {
    expect(new AppError("conversation-busy", "Busy.")).toMatchObject({
      name: "AppError",
      message: "Busy.",
      code: "conversation-busy",
      status: 409,
      title: "Conversation busy",
      retryable: true,
      extensions: {},
      retryAfter: undefined,
    });
    expect(new AppError("conflict", "No.")).toMatchObject({ status: 409, retryable: false });
  });

  it("can override its retryability, and carries its other details", () => {
    const cause = new Error("underneath");
    const error = new AppError("limit-exceeded", "Too much.", {
      cause,
      retryable: true,
      retryAfter: 7,
      extensions: { limit: 3 },
    });

    expect(error).toMatchObject({ status: 429, retryable: true, retryAfter: 7, extensions: { limit: 3 } });
    expect(error.cause).toBe(cause);
  });

  it("is made from anything thrown, whose message is only logged", () => {
    const known = notFound("Agent");
    expect(AppError.from(known)).toBe(known);
    expect(known).toMatchObject({ status: 404, message: "Agent not found" });

    for (const thrown of [new Error("secret"), "secret", undefined, null, { code: "forbidden" }]) {
      const error = AppError.from(thrown);
      expect(error).toMatchObject({
        code: "internal",
        status: 500,
        message: "Something went wrong on our side.",
      });
      expect(error.cause).toBe(thrown);
    }
  });
});
