/** A device that paused at its temperature limit resumes once it is below the limit by this much, °C. */
export const HYSTERESIS_CELSIUS = 8
