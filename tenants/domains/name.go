package domains

import (
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"github.com/stoacommerce/stoa/platform/problem"
)

// maxName is how long the name of a host can be.
const maxName = 253

// elsewhere are the last labels of names that lead nowhere in the public domain name system
// (RFC 6761 and the like), so that nobody can prove that they are theirs.
var elsewhere = []string{"alt", "arpa", "example", "internal", "invalid", "local", "localhost", "onion", "test"}

// parse reads the name of a domain as people write it, and gives it as it stands in the domain
// name system; in letters of all languages it is turned into ASCII.
func (s *Service) parse(text string) (string, error) {
	refuse := func(code, detail string) (string, error) {
		return "", problem.New(problem.Unprocessable, code, "This cannot be a domain of a shop’s.").At("/name", code, "%s", detail)
	}
	text = strings.TrimSuffix(strings.TrimSpace(text), ".")
	if strings.ContainsAny(text, "/:@ ") {
		return refuse("domain_invalid", "Give the name alone, such as shop.example.com, without https:// and without a path.")
	}
	name, err := idna.Lookup.ToASCII(text)
	if err != nil || len(name) > maxName || strings.ContainsRune(name, '_') {
		return refuse("domain_invalid", "It is no name of a domain.")
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return refuse("domain_invalid", "It is an address; give the name that leads to it.")
	}
	labels := strings.Split(name, ".")
	last, base := labels[len(labels)-1], s.config.BaseDomain
	switch suffix, _ := publicsuffix.PublicSuffix(name); {
	case s.local(name):
		return name, nil
	case name == base || strings.HasSuffix(name, "."+base):
		return refuse("domain_reserved", "It is the platform’s own.")
	case len(labels) < 2 || slices.Contains(labels, ""):
		return refuse("domain_invalid", "It is no whole name: that has a point in it, such as shop.example.com.")
	case suffix == name:
		return refuse("domain_reserved", "Others’ domains lie below it, so that it can be nobody’s alone.")
	case slices.Contains(elsewhere, last) || strings.Trim(last, "0123456789") == "":
		return refuse("domain_reserved", "Names that end so lead nowhere in public.")
	}
	return name, nil
}

// local says whether a name leads to this machine by what it is called, where that is taken.
// One label below is where stores have their addresses.
func (s *Service) local(name string) bool {
	below, ok := strings.CutSuffix(name, ".localhost")
	return ok && s.config.Local && strings.Contains(below, ".")
}

// zone is the domain that was registered, which a name is or lies below.
func zone(name string) string {
	registered, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		return name
	}
	return registered
}

// apex says whether a name is what was registered: such a name can be no alias.
func apex(name string) bool { return zone(name) == name }

// Unicode is a domain's name in the letters that people write it in.
func (d *Domain) Unicode() string {
	if name, err := idna.Display.ToUnicode(d.Name); err == nil {
		return name
	}
	return d.Name
}
