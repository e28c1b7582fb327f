/**
 * The weight layout of the onnx-cpu backend: every product is cut into panels of columns whose sums stay in the
 * processor's cache until they are reduced to operands. Q, K and V are one product, [Wq Wk Wv].
 */
import type { Tier } from '#shared/domain/tiers'
import { expandMatrix, matrixShape, type MatrixName } from './weights'

/** At 256 rows the sums of a panel take 1 MiB as int32, inside onnxruntime. */
const MOST_COLUMNS = 1024

export interface Product {
  /** side by side */
  matrices: readonly MatrixName[]
  rows: number
  columns: number
  panelColumns: number
  /** bytes from the start of the layer's weights */
  offset: number
}

/** The four products of a layer. */
export interface LayerProducts {
  attention: Product
  output: Product
  expand: Product
  contract: Product
}

export function layerProducts(tier: Tier): LayerProducts {
  let offset = 0
  const product = (...matrices: MatrixName[]): Product => {
    const rows = matrices[0] === 'n' ? tier.hidden : tier.width
    const columns = matrices.reduce((sum, name) => sum + matrixShape(tier, name)[1], 0)
    const panelColumns = Math.min(columns, MOST_COLUMNS)
    if (columns % panelColumns !== 0) throw new RangeError(`${tier.name}: ${columns} columns do not make whole panels`)
    const start = offset
    offset += rows * columns
    return { matrices, rows, columns, panelColumns, offset: start }
  }
  return { attention: product('q', 'k', 'v'), output: product('o'), expand: product('u'), contract: product('n') }
}

/** Panels of a product in one layer's weights: rows×panelColumns operands each, row-major. */
export function panelsOf(product: Product, layerWeights: Int8Array): Int8Array[] {
  const bytes = product.rows * product.panelColumns
  return Array.from({ length: product.columns / product.panelColumns }, (_, index) => {
    const start = product.offset + index * bytes
    return layerWeights.subarray(start, start + bytes)
  })
}

/** Expands one layer from the epoch seed into `layerWeights`. */
export function expandLayer(tier: Tier, layerWeights: Int8Array, epochSeed: Uint8Array, layer: number): void {
  for (const product of Object.values(layerProducts(tier)) as Product[]) {
    const panels = panelsOf(product, layerWeights)
    let firstColumn = 0
    for (const name of product.matrices) {
      const [rows, columns] = matrixShape(tier, name)
      const values = expandMatrix(new Uint8Array(rows * columns), epochSeed, layer, name)
      scatter(values, rows, columns, panels, product.panelColumns, firstColumn)
      firstColumn += columns
    }
  }
}

/** Copies a row-major matrix to the panels' columns from `firstColumn` on. */
function scatter(
  values: Int8Array,
  rows: number,
  columns: number,
  panels: Int8Array[],
  panelColumns: number,
  firstColumn: number,
): void {
  for (let column = 0; column < columns;) {
    const panel = panels[Math.floor((firstColumn + column) / panelColumns)]
    const start = (firstColumn + column) % panelColumns
    const width = Math.min(panelColumns - start, columns - column)
    for (let row = 0; row < rows; row++) {
      const from = row * columns + column
      panel?.set(values.subarray(from, from + width), row * panelColumns + start)
    }
    column += width
  }
}
