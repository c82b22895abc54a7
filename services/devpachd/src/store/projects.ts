import type { Db } from './db.ts';
import { notFound, PfsError } from './errors.ts';
import { checkProjectName, checkZeroBytes, DEFAULT_PROJECT, quoted } from './names.ts';
import type { ProjectRecord } from './records.ts';

function projectNotFound(name: string): PfsError {
  return notFound(name === '' ? 'project not found' : `project ${quoted(name)} not found`);
}

/** Throws `project "NAME" not found`, with the words that pachd's look-up puts in front. */
export function getProject(db: Db, name: string, during = 'get project by name'): ProjectRecord {
  checkZeroBytes(name, `${during}: scanning project row`);
  const project = db.projects.get(name || '\0');
  if (!project) throw notFound(`${during}: ${projectNotFound(name).message}`);
  return project;
}

/** The project as pickers look it up: without words in front. */
export function findProject(db: Db, name: string): ProjectRecord {
  const project = db.projects.get(name || '\0');
  if (!project) throw projectNotFound(name);
  return project;
}

export function createProject(db: Db, name: string, description: string, createdBy: string): void {
  checkProjectName(name);
  if (db.projects.get(name)) {
    throw new PfsError('alreadyExists', `project "${name}" already exists\nproject ${name} already exists`);
  }
  db.projects.put(name, { name, description, createdAt: Date.now(), createdBy, metadata: {} });
}

export function updateProject(db: Db, name: string, description: string): void {
  db.projects.put(name, { ...getProject(db, name), description });
}

export function listProjects(db: Db): readonly ProjectRecord[] {
  return [...db.projects.getRange()].map(({ value }) => value).sort((a, b) => a.createdAt - b.createdAt);
}

/** What a new store has. */
export function createDefaultProject(db: Db): void {
  if (!db.projects.get(DEFAULT_PROJECT)) createProject(db, DEFAULT_PROJECT, '', '');
}
