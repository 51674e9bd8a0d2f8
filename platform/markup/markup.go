// Package markup cleans the HTML that people write.
package markup

import (
	"strings"

	"github.com/microcosm-cc/bluemonday"
)

// policy keeps what describes goods, and nothing that acts, loads or looks like the page that
// it is shown on.
var policy = bluemonday.UGCPolicy()

// Clean takes out of HTML whatever is active.
func Clean(html string) string { return strings.TrimSpace(policy.Sanitize(html)) }
