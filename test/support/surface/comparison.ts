/**
 * Whether ours can stand in for theirs, by their types. TypeScript alone would say no too often: classes with protected
 * members are strangers to each other. So classes of the same name count as equal here, each being compared
 * member by member on its own, and so do type parameters whose bounds are.
 */
import ts from "typescript"
import type { Member, Packages } from "./packages.js"

interface Parameters {
  readonly types: readonly ts.Type[]
  readonly needed: number
  /** What may follow in any number. */
  readonly rest: ts.Type | null
}

export class Comparison {
  constructor(
    private readonly packages: Packages,
    /** Names of classes that both have. */
    private readonly classes: ReadonlySet<string>,
  ) {}

  /** A property must be of the same type, and be there to be set when theirs is; a method must take their arguments. */
  member(ours: Member, theirs: Member): boolean {
    if (theirs.isMethod) return this.call(ours.type, theirs.type)
    return this.same(ours.type, theirs.type) && (theirs.isReadonly || !ours.isReadonly)
  }

  /** Their arguments must do for ours, and what ours returns for theirs. */
  call(ours: ts.Type, theirs: ts.Type): boolean {
    const [our, their] = [this.signature(ours), this.signature(theirs)]
    if (our === undefined || their === undefined) return false
    const result = their.getReturnType()
    const isVoid = (result.flags & ts.TypeFlags.Void) !== 0
    return this.takes(our, their) && (isVoid || this.stands(our.getReturnType(), result))
  }

  /** The same of `new`. */
  construction(ours: ts.Symbol, theirs: ts.Symbol): boolean {
    const [our, their] = [ours, theirs].map(symbol => this.constructorOf(symbol))
    if (our === undefined || their === undefined) return our === their
    return this.takes(our, their)
  }

  /** Undefined where there is no public one. */
  constructorOf(symbol: ts.Symbol): ts.Signature | undefined {
    const { checker } = this.packages
    return checker.getTypeOfSymbol(symbol).getConstructSignatures()[0]
  }

  /** Each of two types for the other. */
  same(ours: ts.Type, theirs: ts.Type): boolean {
    return this.stands(ours, theirs) && this.stands(theirs, ours)
  }

  /** Whether a value of one type can be used where the other is asked for. */
  stands(from: ts.Type, to: ts.Type): boolean {
    const { checker } = this.packages
    if (checker.isTypeAssignableTo(from, to)) return true
    if (from.isUnion()) return from.types.every(type => this.stands(type, to))
    if (to.isUnion()) return to.types.some(type => this.stands(from, type))
    if (from.isTypeParameter() && to.isTypeParameter()) {
      const [own, other] = [from.getConstraint(), to.getConstraint()]
      return own === undefined || other === undefined ? own === other : this.stands(own, other)
    }
    const [name, other] = [from.symbol?.name, to.symbol?.name]
    return name === other && name !== undefined && this.classes.has(name)
  }

  private signature(type: ts.Type): ts.Signature | undefined {
    return type.getCallSignatures()[0]
  }

  private takes(ours: ts.Signature, theirs: ts.Signature): boolean {
    const [own, given] = [this.parametersOf(ours), this.parametersOf(theirs)]
    if (own.needed > Math.max(given.needed, given.types.length)) return false
    if (given.rest !== null && (own.rest === null || !this.stands(given.rest, own.rest))) return false
    return given.types.every((type, at) => {
      const taken = own.types[at] ?? own.rest
      return taken !== null && (this.stands(type, taken) || this.optionsStand(type, taken))
    })
  }

  /** Objects of options: each that can be given to theirs can be given to ours. */
  private optionsStand(given: ts.Type, taken: ts.Type): boolean {
    const { checker } = this.packages
    const [from, to] = [checker.getNonNullableType(given), checker.getNonNullableType(taken)]
    const names = from.getProperties().map(({ name }) => name)
    return (
      names.length > 0 &&
      names.every(name => {
        const [own, other] = [to.getProperty(name), from.getProperty(name)!]
        return own !== undefined && this.stands(checker.getTypeOfSymbol(other), checker.getTypeOfSymbol(own))
      })
    )
  }

  private parametersOf(signature: ts.Signature): Parameters {
    const { checker } = this.packages
    const types: ts.Type[] = []
    let needed = 0
    for (const symbol of signature.getParameters()) {
      const declaration = symbol.valueDeclaration
      const type = checker.getTypeOfSymbol(symbol)
      const isParameter = declaration !== undefined && ts.isParameter(declaration)
      if (isParameter && declaration.dotDotDotToken !== undefined) {
        if (!checker.isTupleType(type)) {
          return {
            types,
            needed,
            rest: checker.isArrayType(type) ? (checker.getTypeArguments(type as ts.TypeReference)[0] ?? null) : type,
          }
        }
        const tuple = type as ts.TypeReference
        types.push(...checker.getTypeArguments(tuple))
        needed += (tuple.target as ts.TupleType).minLength
      } else {
        types.push(type)
        if (!isParameter || (declaration.questionToken === undefined && declaration.initializer === undefined))
          needed += 1
      }
    }
    return { types, needed, rest: null }
  }
}
