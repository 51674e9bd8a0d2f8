// Package promotions owns what makes a basket cheaper: promotions, by code and automatic,
// what they ask for, what they take off, and how often each was used. Which of them a
// basket gets is computed by Evaluate, which reads and writes nothing; what the basket then
// comes to is pricing's.
package promotions
