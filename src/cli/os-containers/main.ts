#!/usr/bin/env node
import { runMain } from '../program.ts';
import { calledName, osContainersProgram } from './definition.ts';
import { arrangeWords } from './words.ts';

const name = calledName(process.argv[1]);
await runMain((wanted) => osContainersProgram(wanted, name), arrangeWords(process.argv.slice(2)), { isDated: true });
