// Package house says how the project is built, mostly by its tests: which package may
// know which (walls_test.go), and what its files may look like (order_test.go). Where a
// rule stands in the way of something good, change the rule here, with a reason.
package house

import "regexp"

var forTests = regexp.MustCompile(`(^|/)([a-z]+test|test[a-z]+)(/|$)`)

// ForTests says whether a package, by its path, or a file, by its folder's, serves tests
// alone: it lies in a folder such as shoptest, testenv or testdb.
func ForTests(path string) bool { return forTests.MatchString(path) }
