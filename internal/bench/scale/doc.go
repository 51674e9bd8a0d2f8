// Package scale measures what many stores cost: their birth, bringing all of them up to
// date, and what they take of a program's memory and of everybody's time when all of them
// are busy. It is a part of `make bench`.
package scale
