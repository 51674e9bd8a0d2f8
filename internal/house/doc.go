// Package house holds no code, only tests of how the project is built: which package
// may know which (walls_test.go), and what its files may look like (order_test.go).
// Where a rule stands in the way of something good, change the rule here, with a reason.
package house
