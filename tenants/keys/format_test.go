package keys

import (
	"regexp"
	"strings"
	"testing"
)

func TestGenerate(t *testing.T) {
	form := regexp.MustCompile(`^stoa_rk_live_[0-9A-Za-z]{36}$`)
	seen := map[string]bool{}
	letters := map[byte]int{}
	for range 2000 {
		key := Generate("stoa_rk_live_")
		if !form.MatchString(key) || seen[key] || !genuine(key) {
			t.Fatalf("%s is not a key, or not a new one", key)
		}
		seen[key] = true
		for i := range randomLength {
			letters[key[prefixLength+i]]++
		}
	}
	// 60,000 characters of 62 kinds: each some 968 times.
	for letter, n := range letters {
		if n < 750 || n > 1200 {
			t.Errorf("%q came %d times", letter, n)
		}
	}
	if len(letters) != 62 {
		t.Errorf("%d characters are used", len(letters))
	}
}

func TestGenuine(t *testing.T) {
	key := Generate("stoa_sk_live_")
	for i := prefixLength; i < len(key); i++ {
		other := byte('a')
		if key[i] == other {
			other = 'b'
		}
		if genuine(key[:i] + string(other) + key[i+1:]) {
			t.Errorf("a typing error at %d is not noticed", i)
		}
	}
	for name, wrong := range map[string]string{
		"empty": "", "prefix": "stoa_sk_live_", "short": key[:len(key)-1], "long": key + "a", "another mode": strings.Replace(key, "live", "test", 1),
		"another kind": strings.Replace(key, "sk", "pk", 1), "of an operator": Generate("stoa_op_read_"), "not base62": key[:20] + "-" + key[21:],
		"not ASCII": key[:20] + "é" + key[22:],
	} {
		if genuine(wrong) {
			t.Errorf("%s: %q is taken for a key", name, wrong)
		}
	}
	if !WellFormed("stoa_op_", Generate("stoa_op_")) || WellFormed("stoa_op_", key) {
		t.Error("the form does not serve other prefixes")
	}
	// The form is public: scanners hold it against this.
	if !genuine("stoa_sk_test_00000000000000000000000000000035P5wO") {
		t.Error("the form has changed")
	}
}

func BenchmarkGenuine(b *testing.B) {
	key := Generate("stoa_sk_live_")
	b.ReportAllocs()
	for b.Loop() {
		genuine(key)
	}
}

func TestOrigins(t *testing.T) {
	for given, want := range map[string]string{
		"https://shop.example.com":     "https://shop.example.com",
		"HTTPS://Shop.Example.com:443": "https://shop.example.com",
		"http://localhost:3000":        "http://localhost:3000",
		"http://127.0.0.1":             "http://127.0.0.1",
		"http://[::1]:8080":            "http://[::1]:8080",
		"https://bücher.example":       "https://xn--bcher-kva.example",
		"capacitor://localhost":        "capacitor://localhost",
	} {
		if got, ok := tidyOrigin(given); !ok || got != want {
			t.Errorf("%s is kept as %q", given, got)
		}
	}
	for _, wrong := range []string{"", "null", "*", "https://*.example.com", "https://", "shop.example.com", "https://a.example/", "https://a.example/x",
		"https://a.example?x", "https://a.example?", "https://a.example#", "https://a.example#x", "https://u@a.example", "https://a.example:port", "mailto:a@b", "https://a b", "https://[::g]"} {
		if got, ok := tidyOrigin(wrong); ok {
			t.Errorf("%s is kept as %q", wrong, got)
		}
	}
}

func TestIPs(t *testing.T) {
	var wrong faults
	got := tidyIPs(&wrong, []string{"203.0.113.7", "203.0.113.99/24", "2001:DB8::1", "2001:db8::/32", "::ffff:192.0.2.1", "::ffff:192.0.2.0/120", "203.0.113.0/24"})
	if strings.Join(got, " ") != "203.0.113.7 203.0.113.0/24 2001:db8::1 2001:db8::/32 192.0.2.1 192.0.2.0/24" || wrong.err() != nil {
		t.Errorf("kept %v, %v", got, wrong.err())
	}
	got = tidyIPs(&wrong, []string{"", "203.0.113", "203.0.113.0/33", "fe80::1%eth0", "::ffff:0.0.0.0/90", "example.com"})
	if len(got) != 0 || len(wrong.first.Faults) != 6 {
		t.Errorf("kept %v, %v", got, wrong.err())
	}
}
