package app

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/platform/secrets"
)

// What follows makes the setters of the table: each turns a text into a value of the
// configuration, or says what is wrong with the text. What would be right stands in the
// table. An empty text is a value that was left out.

type secretRef = *secrets.Redacted

type setter = func(*Config, string) error

func oneOf[T ~string](field func(*Config) *T, allowed ...T) setter {
	return func(c *Config, text string) error {
		for _, a := range allowed {
			if string(a) == text {
				*field(c) = a
				return nil
			}
		}
		return errors.New("is none of them")
	}
}

func oneOfText[T any](field func(*Config) *T, allowed map[string]T) setter {
	return func(c *Config, text string) error {
		v, ok := allowed[strings.ToLower(text)]
		if !ok {
			return errors.New("is none of them")
		}
		*field(c) = v
		return nil
	}
}

func boolean(field func(*Config) *bool) setter {
	return func(c *Config, text string) error {
		v, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("is neither")
		}
		*field(c) = v
		return nil
	}
}

func number(field func(*Config) *int, low, high int) setter {
	return func(c *Config, text string) error {
		v, err := strconv.Atoi(text)
		if err != nil {
			return errors.New("is not a whole number")
		}
		if v < low || v > high {
			return errors.New("is out of range")
		}
		*field(c) = v
		return nil
	}
}

func share(field func(*Config) *float64) setter {
	return func(c *Config, text string) error {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return errors.New("is not a number")
		}
		if !(v >= 0 && v <= 1) {
			return errors.New("is out of range")
		}
		*field(c) = v
		return nil
	}
}

func duration(field func(*Config) *time.Duration, low, high time.Duration) setter {
	return func(c *Config, text string) error {
		v, err := time.ParseDuration(text)
		if err != nil {
			return errors.New("is not a duration (units are ms, s, m and h)")
		}
		if v < low || v > high {
			return errors.New("is out of range")
		}
		*field(c) = v
		return nil
	}
}

// units of a size; decimal names for powers of two, as everywhere in servers' settings.
var units = map[string]int64{"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}

func size(field func(*Config) *int64) setter {
	return func(c *Config, text string) error {
		digits := strings.TrimRight(text, "KMGBkmgb")
		v, err := strconv.ParseInt(digits, 10, 32)
		unit, known := units[strings.ToUpper(text[len(digits):])]
		if err != nil || !known {
			return errors.New("is not a size")
		}
		if v *= unit; v < 1<<10 || v > 1<<30 {
			return errors.New("is out of range")
		}
		*field(c) = v
		return nil
	}
}

func folder(field func(*Config) *string) setter {
	return func(c *Config, text string) error {
		if text == "" {
			return nil
		}
		path, err := filepath.Abs(text)
		if err != nil {
			return fmt.Errorf("is no path: %w", err)
		}
		*field(c) = path
		return nil
	}
}

func listener(field func(*Config) *string) setter {
	return func(c *Config, text string) error {
		host, port, err := net.SplitHostPort(text)
		if err != nil {
			return errors.New("is not an address to listen on")
		}
		if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
			return fmt.Errorf("has no port from 0 to 65535 (%q)", port)
		}
		if host != "" && net.ParseIP(host) == nil && !validHost(host) {
			return fmt.Errorf("has no host that can be listened on (%q)", host)
		}
		*field(c) = text
		return nil
	}
}

var hostPattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func validHost(host string) bool { return len(host) <= 253 && hostPattern.MatchString(host) }

func hostName(field func(*Config) *string) setter {
	return func(c *Config, text string) error {
		text = strings.ToLower(text)
		if _, err := netip.ParseAddr(text); err == nil {
			return errors.New("is an address, not a name: stores are found by names below it")
		}
		if !validHost(text) {
			return errors.New("is not a host name (no scheme, port or path)")
		}
		*field(c) = text
		return nil
	}
}

func address(field func(*Config) **url.URL, schemes ...string) setter {
	return func(c *Config, text string) error {
		if text == "" {
			return nil
		}
		u, err := parseURL(text, schemes)
		if err != nil {
			return err
		}
		if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return errors.New("has more than a scheme, a host, a port and a path")
		}
		u.Path = strings.TrimRight(u.Path, "/")
		*field(c) = u
		return nil
	}
}

// secretURL checks an address whose text may hold a password, and so appears in no error.
func secretURL(field func(*Config) secretRef, schemes ...string) setter {
	return func(c *Config, text string) error {
		if text == "" {
			return nil
		}
		if _, err := parseURL(text, schemes); err != nil {
			return err
		}
		*field(c) = secrets.Redact(text)
		return nil
	}
}

// parseURL reads an address of one of the schemes. Its errors quote nothing of it.
func parseURL(text string, schemes []string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("is not a URL (a password's special characters must be percent-encoded)")
	}
	for _, s := range schemes {
		if u.Scheme != s {
			continue
		}
		if u.Hostname() == "" && u.Query().Get("host") == "" {
			return nil, errors.New("names no host")
		}
		return u, nil
	}
	return nil, fmt.Errorf("does not begin with %s://", strings.Join(schemes, ":// or "))
}

func networks(c *Config, text string) error {
	c.HTTP.TrustedProxies = nil
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		prefix, err := netip.ParsePrefix(part)
		if addr, addrErr := netip.ParseAddr(part); err != nil && addrErr == nil && addr.Zone() == "" {
			prefix, err = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("has a part that is neither an address nor a network (%q)", part)
		}
		if prefix != prefix.Masked() {
			return fmt.Errorf("has a network with bits set after its length (%q; did you mean %s?)", part, prefix.Masked())
		}
		c.HTTP.TrustedProxies = append(c.HTTP.TrustedProxies, prefix)
	}
	return nil
}

// addresses reads where merchants' domains are to lead.
func addresses(c *Config, text string) error {
	c.Domains.Addresses = nil
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		address, err := netip.ParseAddr(part)
		if err != nil || address.Zone() != "" {
			return fmt.Errorf("has a part that is no address (%q)", part)
		}
		c.Domains.Addresses = append(c.Domains.Addresses, address.Unmap())
	}
	return nil
}

// cellStart is where an entry of STOA_CELLS begins. Commas alone do not tell, for the
// address of a database with several hosts has some too.
var cellStart = regexp.MustCompile(`(?:^|[,\s]+)([^=,\s]*)=(postgres(?:ql)?://)`)

var cellName = regexp.MustCompile(`^[a-z][a-z0-9]{0,15}$`)

func cells(c *Config, text string) error {
	c.Database.Cells = nil
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	starts := cellStart.FindAllStringSubmatchIndex(text, -1)
	if len(starts) == 0 || starts[0][0] != 0 {
		return errors.New("does not begin with name=postgres://")
	}
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		name, dsn := text[at[2]:at[3]], strings.TrimRight(text[at[4]:end], ", \n\t")
		if !cellName.MatchString(name) {
			return fmt.Errorf("has a cell with a name that cannot be one (%q)", name)
		}
		if _, err := parseURL(dsn, []string{"postgres", "postgresql"}); err != nil {
			return fmt.Errorf("has for cell %s an address that %w", name, err)
		}
		for _, other := range c.Database.Cells {
			if other.Name == name {
				return fmt.Errorf("names cell %s twice", name)
			}
			if other.URL.Equal(dsn) {
				return fmt.Errorf("gives cells %s and %s the same database", other.Name, name)
			}
		}
		c.Database.Cells = append(c.Database.Cells, CellConfig{Name: name, URL: secrets.Redact(dsn)})
	}
	return nil
}

func keyRing(c *Config, text string) error {
	if text == "" {
		return nil
	}
	if _, err := secrets.ParseRing(text); err != nil {
		return fmt.Errorf("is no key ring: %w", err)
	}
	c.Security.Keys = secrets.Redact(text)
	return nil
}

func mailAddress(c *Config, text string) error {
	if _, err := mail.ParseAddress(text); err != nil {
		return errors.New("is not a mail address")
	}
	c.Mail.From = text
	return nil
}

// contact reads where the certificate authority may write to.
func contact(c *Config, text string) error {
	address, err := mail.ParseAddress(text)
	if err != nil {
		return errors.New("is not a mail address")
	}
	c.Domains.Email = address.Address
	return nil
}

// optional leaves a value alone that is not set.
func optional(set setter) setter {
	return func(c *Config, text string) error {
		if text == "" {
			return nil
		}
		return set(c, text)
	}
}

// stripeKeys reads secrets of Stripe, separated by commas, which begin with one of the
// prefixes.
func stripeKeys(field func(*Config) secretRef, prefixes ...string) setter {
	return func(c *Config, text string) error {
		for key := range strings.SplitSeq(text, ",") {
			if text != "" && !slices.ContainsFunc(prefixes, func(prefix string) bool { return len(key) > len(prefix) && strings.HasPrefix(key, prefix) }) {
				return errors.New("is not such a key")
			}
		}
		*field(c) = secrets.Redact(text)
		return nil
	}
}

func stripePublishable(field func(*Config) *string) setter {
	return func(c *Config, text string) error {
		if text != "" && !strings.HasPrefix(text, "pk_") {
			return fmt.Errorf("(%q) is not such a key", text)
		}
		*field(c) = text
		return nil
	}
}
