/** Text files that the bundler puts into the program as strings. */
declare module '*.txt?raw' {
  const text: string
  export default text
}
