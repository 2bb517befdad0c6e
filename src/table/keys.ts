/**
 * Partitions that several features share. Keys that one feature owns stand in its model. The two spellings of "user"
 * are the table's own: agents and settings lie under `User#`, conversations under `USER#`.
 */
export const userPartition = (email: string): string => `User#${email}`;

export const userConversationsPartition = (email: string): string => `USER#${email}`;

export const conversationPartition = (conversationId: string): string => `CONVERSATION#${conversationId}`;

/** What belongs to an agent itself, whoever talks to it. */
export const agentPartition = (agentId: string): string => `Agent#${agentId}`;

/** An agent's memory of one user; `userId` is the owner's e-mail or an end user's id. */
export const memoryPartition = (agentId: string, userId: string): string => `Agent#${agentId}#User#${userId}`;
