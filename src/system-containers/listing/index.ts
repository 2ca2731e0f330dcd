/** What is installed, and in which state (spec system-containers 18). */
export { type ContainerState, type ListedContainer, listInstalled } from './listing.ts';
