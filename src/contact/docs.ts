import type { FeatureDocs } from "../http/docs.ts";

/** The texts and examples of the contact form. */
export const contactDocs: FeatureDocs = {
  operations: {
    submitContact: {
      tag: "Administration",
      summary: "Write to the people who run the service",
      description:
        "Delivers a message to the operators, once in five minutes per network address. If the delivery fails, the answer is a 503, and you may try again at once.",
      request: {
        type: "support",
        subject: "A question about memory",
        email: "ada@example.com",
        description: "How do I import memories from another service?",
      },
      answers: {
        200: {
          success: true,
          message: "Thank you for your submission! We'll get back to you soon.",
          issue_number: null,
          issue_url: null,
        },
      },
      problems: ["not-configured"],
    },
  },
  schemas: {
    ContactSubmission: {
      description: "A message to the operators.",
      fields: {
        type: "What it is about.",
        subject: "One line of 5 to 200 characters.",
        email: "Where the answer goes.",
        description: "The message, 20 to 5,000 characters.",
      },
    },
    ContactAnswer: {
      description: "The message was delivered.",
      fields: {
        success: "Always true.",
        issue_number: "Always null: the legacy Python service opened a public issue.",
        issue_url: "Always null.",
      },
    },
  },
};
