package dynamo

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCodecRoundTrip(t *testing.T) {
	c, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		want := rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), 1, 20).Draw(rt, "list")
		got, err := c.unpack(c.pack(want))
		if err != nil || !slices.EqualFunc(want, got, bytes.Equal) {
			rt.Fatalf("unpacked %q, %v; want %q", got, err, want)
		}
	})
	text := bytes.Repeat([]byte(`{"v":1,"type":"leased"}`), 40)
	if n := len(c.pack([][]byte{text, text})); n > len(text)/4 {
		t.Errorf("%d bytes of JSON take %d", 2*len(text), n)
	}
}

// Unpacking reads what the network brings: it returns an error, and never panics or
// reads beyond.
func FuzzUnpack(f *testing.F) {
	c, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.pack([][]byte{[]byte("one"), nil, []byte(strings.Repeat("two", 99))}))
	f.Add([]byte{formatPlain, 0xff, 0xff, 0xff, 0xff, 0x0f, 1})
	f.Add([]byte{formatZstd, 0x28, 0xb5, 0x2f, 0xfd, 0x04})
	f.Add([]byte{7})
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := c.unpack(data)
		if err != nil {
			return
		}
		again, err := c.unpack(c.pack(list))
		if err != nil || !slices.EqualFunc(list, again, bytes.Equal) {
			t.Errorf("%x unpacks to %x, and that to %x, %v", data, list, again, err)
		}
	})
}
