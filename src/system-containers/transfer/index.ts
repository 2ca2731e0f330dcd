/** Containers in one file, with the images of their slots: for machines without a network. Loaded when it is asked for. */
import type * as Exporting from './export-container.ts';
import type * as Importing from './import-container.ts';

export type { ExportedContainer, ExportRequest } from './export-container.ts';
export type { ImportedContainer, ImportPlan, ImportRequest } from './import-container.ts';

/** See export-container.ts. */
export async function exportContainer(...words: Parameters<typeof Exporting.exportContainer>) {
  return (await import('./export-container.ts')).exportContainer(...words);
}

/** See import-container.ts. */
export async function importContainer(...words: Parameters<typeof Importing.importContainer>) {
  return (await import('./import-container.ts')).importContainer(...words);
}

/** See import-container.ts. */
export async function planImport(...words: Parameters<typeof Importing.planImport>) {
  return (await import('./import-container.ts')).planImport(...words);
}
