package secrets

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// entry makes a key for a ring.
func entry(t testing.TB, id string) string {
	t.Helper()
	key, err := NewKey(id)
	if err != nil {
		t.Fatal(err)
	}
	return key.Reveal()
}

// ring reads a ring that must be right.
func ring(t testing.TB, entries ...string) *Ring {
	t.Helper()
	r, err := ParseRing(strings.Join(entries, ","))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSealedValuesOpenOnlyWhereTheyBelong(t *testing.T) {
	r := ring(t, entry(t, "k1"))
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		place := func(label string) string {
			part := rapid.StringMatching(`[a-z/.%]{0,4}`)
			return Bind(part.Draw(t, label+" store"), part.Draw(t, label+" column"), part.Draw(t, label+" row"))
		}
		here, there := place("here"), place("there")
		sealed, err := r.Seal(plain, here)
		if err != nil {
			t.Fatal(err)
		}
		if len(plain) > 4 && bytes.Contains(sealed, plain) {
			t.Fatal("the secret shows")
		}
		opened, err := r.Open(sealed, here)
		if err != nil || !bytes.Equal(opened, plain) {
			t.Fatalf("%q, %v", opened, err)
		}
		if _, err := r.Open(sealed, there); here != there && !errors.Is(err, ErrNotOpened) {
			t.Fatalf("sealed for %s, opened for %s: %v", here, there, err)
		}
		broken := bytes.Clone(sealed)
		broken[rapid.IntRange(0, len(broken)-1).Draw(t, "position")] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		if opened, err := r.Open(broken, here); err == nil {
			t.Fatalf("a changed value opened as %q", opened)
		}
		cut := sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "length")]
		if _, err := r.Open(cut, here); err == nil {
			t.Fatal("a cut value opened")
		}
	})
}

func TestBindingsOfDifferentPlacesDiffer(t *testing.T) {
	if Bind("a/b", "c", "d") == Bind("a", "b/c", "d") || Bind("a", "b", "c%2Fd") == Bind("a", "b", "c/d") {
		t.Error("two places share a binding")
	}
	if got := Bind("sto_1", "webhook_endpoints.secret", "whe_2"); got != "sto_1/webhook_endpoints.secret/whe_2" {
		t.Errorf("binding %q", got)
	}
	if _, err := ring(t, entry(t, "k")).Seal([]byte("x"), ""); !errors.Is(err, ErrBinding) {
		t.Errorf("sealed without a binding: %v", err)
	}
}

func TestRotation(t *testing.T) {
	first, second := entry(t, "2025-01"), entry(t, "2026-01")
	before, during, after := ring(t, first), ring(t, second, first), ring(t, second)
	const place = "sto_1/totp.seed/acc_1"

	sealed, err := before.Seal([]byte("seed"), place)
	if err != nil {
		t.Fatal(err)
	}
	if before.NeedsRotation(sealed) || !during.NeedsRotation(sealed) {
		t.Fatal("a value needs rotation exactly when a newer key is there")
	}
	if id, err := KeyID(sealed); err != nil || id != "2025-01" {
		t.Fatalf("key ID %q, %v", id, err)
	}
	if plain, err := during.Open(sealed, place); err != nil || string(plain) != "seed" {
		t.Fatalf("the older key does not open: %v", err)
	}
	if _, err := after.Open(sealed, place); !errors.Is(err, ErrUnknownKey) {
		t.Fatalf("opened without its key: %v", err)
	}
	resealed, err := during.Reseal(sealed, place)
	if err != nil || during.NeedsRotation(resealed) {
		t.Fatalf("resealed: %v", err)
	}
	if plain, err := after.Open(resealed, place); err != nil || string(plain) != "seed" {
		t.Fatalf("resealed value: %q, %v", plain, err)
	}
	if again, err := during.Reseal(resealed, place); err != nil || !bytes.Equal(again, resealed) {
		t.Fatalf("what is sealed newest changed: %v", err)
	}
	if _, err := during.Reseal(sealed, place+"x"); !errors.Is(err, ErrNotOpened) {
		t.Fatalf("resealed for another place: %v", err)
	}
	if !during.NeedsRotation([]byte("garbage")) {
		t.Error("garbage counts as sealed newest")
	}
}

func TestRingsThatAreRefused(t *testing.T) {
	good := entry(t, "a")
	_, key, _ := strings.Cut(good, ":")
	for name, text := range map[string]string{
		"empty": "", "no ID": ":" + key, "no key": "a:", "no colon": key, "bad ID": "a b:" + key, "long ID": strings.Repeat("a", 33) + ":" + key,
		"short": "a:" + base64.StdEncoding.EncodeToString(make([]byte, 31)), "no base64": "a:%%%%",
		"zeros": "a:" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
		"text":  "a:" + base64.StdEncoding.EncodeToString([]byte("changeme changeme changeme chang")),
		"twice": good + "," + entry(t, "a"), "same key": good + ",b:" + key, "trailing comma": good + ",",
	} {
		r, err := ParseRing(text)
		if !errors.Is(err, ErrKeys) || r != nil {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), key) {
			t.Errorf("%s: the error tells the key: %v", name, err)
		}
	}
	raw, err := decode(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, spelled := range []string{base64.RawStdEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw)} {
		if _, err := ParseRing("a:" + spelled + " , " + entry(t, "b")); err != nil {
			t.Errorf("base64 spelled %d characters long: %v", len(spelled), err)
		}
	}
	if _, err := NewKey("no colons:"); !errors.Is(err, ErrKeys) {
		t.Errorf("NewKey: %v", err)
	}
}

// peppers keeps sealed peppers as the control database does.
type peppers struct {
	sync.Mutex
	rows map[string][]byte
	fail error
}

func (p *peppers) LoadOrInsert(_ context.Context, name string, sealed []byte) ([]byte, error) {
	p.Lock()
	defer p.Unlock()
	if p.rows[name] == nil {
		p.rows[name] = sealed
	}
	return p.rows[name], p.fail
}

func TestPepperSurvivesRotationAndIsDrawnOnce(t *testing.T) {
	ctx := t.Context()
	first, second := entry(t, "k1"), entry(t, "k2")
	store := &peppers{rows: map[string][]byte{}}

	var wait sync.WaitGroup
	sums := make([][]byte, 8)
	for i := range sums {
		wait.Go(func() {
			p, err := ring(t, first).Pepper(ctx, store, "api_keys")
			if err != nil {
				t.Error(err)
				return
			}
			sums[i] = p.HMAC("stoa_sk_live_x")
		})
	}
	wait.Wait()
	for _, sum := range sums {
		if !bytes.Equal(sum, sums[0]) || len(sum) != 32 {
			t.Fatal("several replicas drew several peppers")
		}
	}

	resealed, err := ring(t, second, first).Reseal(store.rows["api_keys"], PepperBinding("api_keys"))
	if err != nil {
		t.Fatal(err)
	}
	store.rows["api_keys"] = resealed
	p, err := ring(t, second).Pepper(ctx, store, "api_keys")
	if err != nil || !p.Check("stoa_sk_live_x", sums[0]) || p.Check("stoa_sk_live_y", sums[0]) {
		t.Fatalf("keys do not check after a rotation: %v", err)
	}

	derived := p.Derive("cursors")
	if derived.Check("stoa_sk_live_x", sums[0]) || !bytes.Equal(derived.HMAC("a"), p.Derive("cursors").HMAC("a")) || bytes.Equal(derived.HMAC("a"), p.Derive("other").HMAC("a")) {
		t.Error("derived peppers must differ by purpose alone")
	}
	for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s", p, p, p, p), fmt.Sprintf("%#v %v", ring(t, first), ring(t, first))} {
		if strings.ContainsAny(shown, "{&") {
			t.Errorf("shown: %s", shown)
		}
	}

	store.rows["other"] = store.rows["api_keys"]
	if _, err := ring(t, second).Pepper(ctx, store, "other"); !errors.Is(err, ErrNotOpened) {
		t.Errorf("a pepper under another's name: %v", err)
	}
	store.fail = errors.New("down")
	if _, err := ring(t, second).Pepper(ctx, store, "api_keys"); !errors.Is(err, store.fail) {
		t.Errorf("store down: %v", err)
	}
}

func TestPepperHMACIsTheStandardOne(t *testing.T) {
	// RFC 4231, test case 2, has the key "Jefe", which HMAC pads with zeros as it does ours.
	p := newPepper(append([]byte("Jefe"), make([]byte, keyLength-4)...))
	for range 2 { // the second time by a hash that was used before
		if got := fmt.Sprintf("%x", p.HMAC("what do ya want for nothing?")); got != "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" {
			t.Errorf("HMAC %s", got)
		}
	}
}

func TestRedactedShowsNowhere(t *testing.T) {
	const secret = "hunter2-hunter2"
	type config struct {
		Password Redacted
		hidden   Redacted
		Optional Redacted
	}
	c := config{Password: Redact(secret), hidden: Redact(secret)}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "password", c.Password, "config", c, "pointer", &c)
	slog.New(slog.NewTextHandler(&log, nil)).Info("start", "password", c.Password, "config", c, "pointer", &c)
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	shown := log.String() + string(encoded) + fmt.Sprint(c, &c, c.Password, &c.Password, c.hidden, []Redacted{c.Password}) +
		fmt.Sprintf("%v %+v %#v %s %q %x %X %d %#v", c, c, c, c.Password, c.Password, c.Password, c.Password, c.Password, &c) + fmt.Sprintln(fmt.Errorf("with %v", c))
	for _, leak := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
		if strings.Contains(shown, leak) {
			t.Errorf("%q shows in %s", leak, shown)
		}
	}
	if !strings.Contains(string(encoded), `"Password":"[redacted]"`) || !strings.Contains(string(encoded), `"Optional":""`) {
		t.Errorf("JSON: %s", encoded)
	}
	if c.Password.Reveal() != secret || !c.Password.Equal(secret) || c.Password.Equal("other") || c.Password.Empty() || !c.Optional.Empty() {
		t.Error("the text itself is gone")
	}
	var read config
	if err := json.Unmarshal([]byte(`{"Password":"p"}`), &read); err != nil || read.Password.Reveal() != "p" {
		t.Errorf("read back %v: %q", err, read.Password.Reveal())
	}
}
