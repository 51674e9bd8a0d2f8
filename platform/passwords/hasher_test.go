package passwords

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	"pgregory.net/rapid"
)

// hasher makes a hasher of a cost that must be accepted.
func hasher(t testing.TB, cost int) *Hasher {
	t.Helper()
	h, err := NewHasher(cost)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHashAndVerify(t *testing.T) {
	ctx, h := t.Context(), hasher(t, bcrypt.MinCost)
	rapid.Check(t, func(rt *rapid.T) {
		password := rapid.OneOf(rapid.String(), rapid.StringN(80, 300, -1)).Draw(rt, "password")
		other := rapid.OneOf(rapid.String(), rapid.Just(password+"x"), rapid.Just(password+"\x00"), rapid.Just("x"+password)).Draw(rt, "other")
		hash, err := h.Hash(ctx, password)
		if err != nil || len(hash) != 62 {
			rt.Fatalf("%q, %v", hash, err)
		}
		if ok, rehash, err := h.Verify(ctx, hash, password); !ok || rehash || err != nil {
			rt.Fatalf("its own password: %v, %v, %v", ok, rehash, err)
		}
		if ok, _, err := h.Verify(ctx, hash, other); err != nil || ok && normalize(other) != normalize(password) {
			rt.Fatalf("%q verifies as %q: %v", other, password, err)
		}
	})
	first, _ := h.Hash(ctx, "same")
	second, _ := h.Hash(ctx, "same")
	if first == second {
		t.Error("hashes have no salt")
	}
	for _, long := range []string{strings.Repeat("a", 72), "a\x00b", strings.Repeat("ä", 500)} {
		hash, err := h.Hash(ctx, long)
		if err != nil {
			t.Fatal(err)
		}
		if ok, _, _ := h.Verify(ctx, hash, long+"x"); ok {
			t.Errorf("what comes after %d bytes does not count", len(long))
		}
	}
}

func TestTheSamePasswordFromAnotherKeyboardVerifies(t *testing.T) {
	ctx, h := t.Context(), hasher(t, bcrypt.MinCost)
	hash, err := h.Hash(ctx, "caf\u00e9 \u00c5ngstr\u00f6m")
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{
		"cafe\u0301 A\u030angstro\u0308m": true, "caf\u00e9\u00a0\u212bngstr\u00f6m": true, "caf\u00e9\u3000\u00c5ngstr\u00f6m": true,
		"cafe \u00c5ngstr\u00f6m": false, "Caf\u00e9 \u00c5ngstr\u00f6m": false, "caf\u00e9  \u00c5ngstr\u00f6m": false,
	} {
		if ok, _, err := h.Verify(ctx, hash, password); ok != want || err != nil {
			t.Errorf("%+q: %v, %v", password, ok, err)
		}
	}
}

func TestACostThatChangedAsksForARehash(t *testing.T) {
	ctx, low, high := t.Context(), hasher(t, 4), hasher(t, 5)
	hash, err := low.Hash(ctx, "password")
	if err != nil {
		t.Fatal(err)
	}
	if ok, rehash, err := high.Verify(ctx, hash, "password"); !ok || !rehash || err != nil {
		t.Errorf("raised: %v, %v, %v", ok, rehash, err)
	}
	if ok, rehash, err := high.Verify(ctx, hash, "other"); ok || rehash || err != nil {
		t.Errorf("a wrong password: %v, %v, %v", ok, rehash, err)
	}
	if high.Cost() != 5 {
		t.Errorf("cost %d", high.Cost())
	}
	for _, cost := range []int{-1, 0, 3, 17, 31} {
		if _, err := NewHasher(cost); err == nil {
			t.Errorf("cost %d was accepted", cost)
		}
	}
}

func TestHashesThatAreNone(t *testing.T) {
	h := hasher(t, 4)
	plain, err := bcrypt.GenerateFromPassword([]byte("password"), 4)
	if err != nil {
		t.Fatal(err)
	}
	for _, hash := range []string{"", "v1", "v1$2a$04$", string(plain), "v2" + string(plain), "password"} {
		if ok, rehash, err := h.Verify(t.Context(), hash, "password"); ok || rehash || !errors.Is(err, ErrBadHash) {
			t.Errorf("%q: %v, %v, %v", hash, ok, rehash, err)
		}
	}
}

func TestHashesAreBoundedToTheCores(t *testing.T) {
	h := hasher(t, 4)
	cores := int64(runtime.GOMAXPROCS(0))
	if err := h.slots.Acquire(t.Context(), cores); err != nil {
		t.Fatal(err)
	}
	if h.slots.TryAcquire(1) {
		t.Fatal("more than one hash a core")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	hash := h.dummy
	if _, err := h.Hash(ctx, "password"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hash: %v", err)
	}
	if ok, _, err := h.Verify(ctx, hash, "password"); ok || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("verify: %v, %v", ok, err)
	}
	if err := h.DummyVerify(ctx, "password"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("dummy: %v", err)
	}
	h.slots.Release(cores)

	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if err := h.DummyVerify(t.Context(), "password"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if !h.slots.TryAcquire(cores) {
		t.Error("a place was not given back")
	}
}

func TestAnUnknownAccountTakesAsLong(t *testing.T) {
	ctx, h := t.Context(), hasher(t, 8)
	hash, err := h.Hash(ctx, "the right one")
	if err != nil {
		t.Fatal(err)
	}
	if cost, err := bcrypt.Cost([]byte(strings.TrimPrefix(h.dummy, scheme))); err != nil || cost != 8 {
		t.Fatalf("the dummy's cost is %d: %v", cost, err)
	}
	median := func(f func() error) time.Duration {
		var took []time.Duration
		for range 5 {
			started := time.Now()
			if err := f(); err != nil {
				t.Fatal(err)
			}
			took = append(took, time.Since(started))
		}
		slices.Sort(took)
		return took[len(took)/2]
	}
	known := median(func() error { _, _, err := h.Verify(ctx, hash, "a wrong one"); return err })
	unknown := median(func() error { return h.DummyVerify(ctx, "a wrong one") })
	if unknown < known/3 || unknown > known*3 { // other work shares the machine; a missing hash would be a thousandth
		t.Errorf("known %v, unknown %v", known, unknown)
	}
}
