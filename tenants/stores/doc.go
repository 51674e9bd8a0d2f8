// Package stores knows the stores of the platform: their birth, their addresses, where
// each one's data lies, their life and their end. What a store sells is not its matter.
//
// A birth does everything slow first: it takes a schema that was made ahead of need and
// furnishes it. Then the caller enters the store, with its owner and its keys, in one
// transaction of the control database, which is the instant it begins to exist. Whatever
// a process that died had taken is given back by Sweep.
package stores
