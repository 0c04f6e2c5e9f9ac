/** Reads the import lines of library source, and says which of them point against the flow of data. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import ts from 'typescript';

export interface ImportLine {
  /** File below lib/src, with `/`. */
  readonly file: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** All TypeScript files below a folder, with `/`, relative to it. */
export function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => relative(folder, join(folder, name)).split(sep).join('/'))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .sort();
}

/** Every import, re-export, import() and require() of a source text. */
export function importLines(file: string, text: string): ImportLine[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const found: ImportLine[] = [];
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      const names = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause;
      const elements: readonly { isTypeOnly: boolean }[] =
        names && (ts.isNamedImports(names) || ts.isNamedExports(names)) ? names.elements : [];
      const clauseIsType = ts.isImportDeclaration(node) ? node.importClause?.isTypeOnly : node.isTypeOnly;
      const allNamesAreTypes = elements.length > 0 && elements.every((element) => element.isTypeOnly);
      const specifier = (node.moduleSpecifier as ts.StringLiteral).text;
      found.push({ file, specifier, typeOnly: Boolean(clauseIsType) || allNamesAreTypes });
    } else if (ts.isCallExpression(node) && node.arguments.length > 0 && ts.isStringLiteral(node.arguments[0])) {
      const callee = node.expression;
      if (callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require'))
        found.push({ file, specifier: node.arguments[0].text, typeOnly: false });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      found.push({ file, specifier: (node.argument.literal as ts.StringLiteral).text, typeOnly: true });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** A room's allowed imports: whole rooms, and rooms of which only types may be used. */
export interface Arrows {
  readonly values: readonly string[];
  readonly types?: readonly string[];
}

/** Importable by every room; `generated` is what the build makes (kernels, gradients). */
export const COMMON = ['errors.ts', 'generated', 'workers'];

/** Why an import is not allowed, or null. Files at the top of lib/src (cli.ts, index.ts) see every room. */
export function importProblem(line: ImportLine, table: Readonly<Record<string, Arrows>>): string | null {
  const { file, specifier, typeOnly } = line;
  const room = file.includes('/') ? file.slice(0, file.indexOf('/')) : null;
  if (!specifier.startsWith('.')) {
    if (specifier === 'tslab' || specifier.startsWith('tslab/'))
      return room === 'notebook' ? null : `${file} imports tslab; only notebook/ may`;
    return specifier.startsWith('keymyna') ? `${file} imports its own package by name` : null;
  }
  const target = join('/', file, '..', specifier).split(sep).join('/').slice(1).replace(/\.js$/, '.ts');
  const targetRoom = target.split('/')[0];
  if (room === null || targetRoom === room || COMMON.includes(targetRoom)) return null;
  if (room === 'cli') return null;
  const arrows = table[room];
  if (!arrows) return `${file}: the room ${room}/ is not in the table of tests/architecture`;
  if (target !== `${targetRoom}/index.ts`)
    return `${file} imports ${target}; other rooms are entered by their index.ts`;
  if (arrows.values.includes(targetRoom)) return null;
  if (arrows.types?.includes(targetRoom))
    return typeOnly ? null : `${file} imports values of ${targetRoom}/; ${room}/ may use its types only`;
  return `${file} imports ${targetRoom}/; ${room}/ may import ${arrows.values.join(', ') || 'nothing'}`;
}

/** A source text without comments and without the contents of strings, lines kept. */
export function codeOnly(text: string): string {
  const scanner = ts.createScanner(ts.ScriptTarget.ES2022, false, ts.LanguageVariant.Standard, text);
  let code = '';
  for (let token = scanner.scan(); token !== ts.SyntaxKind.EndOfFileToken; token = scanner.scan()) {
    const piece = scanner.getTokenText();
    const isComment = token === ts.SyntaxKind.SingleLineCommentTrivia || token === ts.SyntaxKind.MultiLineCommentTrivia;
    code += isComment || token === ts.SyntaxKind.StringLiteral ? piece.replace(/[^\n]/g, ' ') : piece;
  }
  return code;
}

export const readSource = (folder: string, file: string): string => readFileSync(join(folder, file), 'utf8');
