/** A command in a container: one that runs, one that is installed, or an image for the moment. */
export { COULD_NOT_START, type RunRequest, runCommand } from './run-command.ts';
