import type { DocumentNode } from 'graphql';

/** Documents that were parsed and validated, by their exact text. */
export interface KnownDocuments {
  get(text: string): DocumentNode | undefined;
  /** Remembers a document that passed every rule. Forgets the ones that were not asked for the longest, to stay within its size. */
  add(text: string, document: DocumentNode): void;
}

/** @param maxCharacters of all texts together; a parsed and compiled document takes some thirty times its text */
export function createKnownDocuments(maxCharacters = 500_000): KnownDocuments {
  const documents = new Map<string, DocumentNode>();
  let characters = 0;
  return {
    get(text) {
      const document = documents.get(text);
      if (document === undefined) return undefined;
      documents.delete(text);
      documents.set(text, document); // The map's order is the order of last use.
      return document;
    },
    add(text, document) {
      if (documents.has(text)) return;
      documents.set(text, document);
      characters += text.length;
      for (const oldest of documents.keys()) {
        if (characters <= maxCharacters) break;
        documents.delete(oldest);
        characters -= oldest.length;
      }
    },
  };
}
