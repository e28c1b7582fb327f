/** The bounds that several messages share: every array, string and number of a message has one (protocol.md §6). */
import { z } from 'zod'
import { hex64 } from '../domain/bytes'

/** Characters of a sentence: of a refusal, of a reason. Longer ones are cut by `sentenceOf`. */
const MAX_SENTENCE_CHARACTERS = 1000
/** Devices of a rig, backends of a device, models that a rig offers at once. */
export const MAX_DEVICES = 64
export const MAX_BACKENDS = 16
export const MAX_OFFERED_MODELS = 256
/** Characters of a rig's name of a device: those of a driver's devices are cut to it. */
export const MAX_DEVICE_NAME_CHARACTERS = 100
/** Models that a network's parameters list, and those listed since they were signed. */
export const MAX_LISTED_MODELS = 10_000
export const MAX_NEW_LISTINGS = 256
/** Keys for checks that one epoch publishes, and epochs of one answer to an auditor. */
export const MAX_CHECK_KEYS = 16
export const MAX_EPOCHS = 100
/** Characters of a job's encoded input: a picture of 32 MiB in base64, and room for what stands around it. */
export const MAX_INPUT_CHARACTERS = 48 * 1024 * 1024
/** Characters of the text that a rig publishes at once while it answers. */
export const MAX_PUBLISHED_CHARACTERS = 65_536
/** Longest span of time that a message may name, milliseconds: about 30 years. */
const MAX_MILLISECONDS = 1e12

/** A network's name, for people. It names nothing in signed objects: two networks may have one name. */
export const networkName = z.string().min(1).max(64)
/** The public key of the network that a signed object is for: what a network is known by. */
export const networkKey = hex64
export const deviceName = z.string().max(MAX_DEVICE_NAME_CHARACTERS)
export const sentence = z.string().max(MAX_SENTENCE_CHARACTERS)
export const epochNumber = z.number().int().min(0).max(0xffff_ffff)
export const milliseconds = z.number().nonnegative().max(MAX_MILLISECONDS)
/** MACs a second: any positive rate; what a rig claims decides its difficulty, which the coordinator bounds. */
export const macsPerSecond = z.number().nonnegative().max(Number.MAX_VALUE)

/** Cut to what a message holds. */
export function sentenceOf(text: string): string {
  return text.length <= MAX_SENTENCE_CHARACTERS ? text : `${text.slice(0, MAX_SENTENCE_CHARACTERS - 1)}…`
}
