package keys

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/access"
)

const (
	maxName   = 255
	maxPlaces = 50
)

// faults collects what is wrong with an input; the problem's own code is that of the
// first fault, unless another breaks the contract itself.
type faults struct{ first *problem.Problem }

func (f *faults) add(kind problem.Kind, code, detail, pointer, why string) {
	if f.first == nil {
		f.first = problem.New(kind, code, "%s", detail)
	}
	f.first.At(pointer, code, "%s", why)
}

func (f *faults) err() error {
	if f.first == nil {
		return nil
	}
	return f.first
}

// tidy brings what was given into the form in which it is kept, and names everything that
// is wrong with it.
func (in *Issue) tidy() error {
	var wrong faults
	if prefixes[in.Kind][in.Mode] == "" {
		return fmt.Errorf("a key cannot be of kind %q and mode %q", in.Kind, in.Mode)
	}
	in.Name = tidyName(&wrong, in.Name)
	in.Scopes = tidyScopes(&wrong, in.Kind, in.Scopes)
	in.AllowedIPs = tidyIPs(&wrong, in.AllowedIPs)
	in.AllowedOrigins = tidyOrigins(&wrong, in.Kind, in.AllowedOrigins)
	if in.ExpiresAt != nil {
		at := in.ExpiresAt.UTC().Truncate(time.Microsecond)
		in.ExpiresAt = &at
		if !at.After(clock.Now()) {
			wrong.add(problem.Invalid, "invalid_request", "The key would have expired already.", "/expires_at", "It lies in the past.")
		}
	}
	return wrong.err()
}

func tidyName(wrong *faults, name string) string {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n == 0 || n > maxName {
		wrong.add(problem.Invalid, "invalid_request", "A key needs a name.", "/name", fmt.Sprintf("It has 1 to %d characters, not blanks alone.", maxName))
	}
	return name
}

func tidyScopes(wrong *faults, kind Kind, scopes []string) []string {
	if kind != Restricted && len(scopes) > 0 {
		wrong.add(problem.Unprocessable, "scopes_invalid", "Only a restricted key has scopes.", "/scopes", "It is for restricted keys.")
		return nil
	}
	kept := []string{}
	for i, scope := range scopes {
		switch {
		case !access.Grantable(scope):
			wrong.add(problem.Unprocessable, "scopes_invalid", "There is no such scope.", fmt.Sprintf("/scopes/%d", i), "It is no permission that a key can have.")
		case !slices.Contains(kept, scope):
			kept = append(kept, scope)
		}
	}
	return kept
}

func tidyIPs(wrong *faults, places []string) []string {
	kept := []string{}
	for i, place := range places {
		prefix, err := parseIP(place)
		if err != nil {
			wrong.add(problem.Unprocessable, "cidr_invalid", "An address or network cannot be read.", fmt.Sprintf("/allowed_ips/%d", i), "It is no address and no network in CIDR notation.")
			continue
		}
		text := prefix.String()
		if prefix.IsSingleIP() {
			text = prefix.Addr().String()
		}
		if !slices.Contains(kept, text) {
			kept = append(kept, text)
		}
	}
	if len(kept) > maxPlaces {
		wrong.add(problem.Invalid, "invalid_request", "There are too many addresses.", "/allowed_ips", fmt.Sprintf("There are at most %d.", maxPlaces))
	}
	return kept
}

// parseIP reads an address, which is a network of one, or a network.
func parseIP(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		if addr.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%s has a zone", text)
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	if prefix.Addr().Is4In6() {
		if prefix.Bits() < 96 {
			return netip.Prefix{}, fmt.Errorf("%s holds more than IPv4", text)
		}
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), nil
}

func tidyOrigins(wrong *faults, kind Kind, origins []string) []string {
	if kind != Publishable && len(origins) > 0 {
		wrong.add(problem.Unprocessable, "scopes_invalid", "Only a publishable key is bound to origins.", "/allowed_origins", "It is for publishable keys.")
		return nil
	}
	kept := []string{}
	for i, origin := range origins {
		text, ok := tidyOrigin(origin)
		if !ok {
			wrong.add(problem.Unprocessable, "origin_invalid", "An origin cannot be read.", fmt.Sprintf("/allowed_origins/%d", i), "It is no origin: scheme, host and port, without a path.")
			continue
		}
		if !slices.Contains(kept, text) {
			kept = append(kept, text)
		}
	}
	if len(kept) > maxPlaces {
		wrong.add(problem.Invalid, "invalid_request", "There are too many origins.", "/allowed_origins", fmt.Sprintf("There are at most %d.", maxPlaces))
	}
	return kept
}

// usualPorts are left out of an origin by browsers.
var usualPorts = map[string]string{"http": "80", "https": "443"}

// tidyOrigin writes an origin as browsers send it.
func tidyOrigin(text string) (string, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Hostname() == "" || u.User != nil || u.Path != "" || u.Opaque != "" ||
		u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(text, "#") || strings.Contains(text, "*") {
		return "", false
	}
	host := strings.ToLower(u.Hostname())
	if strings.Contains(host, ":") {
		addr, err := netip.ParseAddr(host)
		if err != nil {
			return "", false
		}
		host = "[" + addr.String() + "]"
	} else if host, err = idna.Lookup.ToASCII(host); err != nil {
		return "", false
	}
	if port := u.Port(); port != "" && port != usualPorts[u.Scheme] {
		host += ":" + port
	}
	return u.Scheme + "://" + host, true
}
