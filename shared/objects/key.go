package objects

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxKeyBytes  = 1024      // S3's limit
	maxPartBytes = 255 - 21  // a file name's, less the suffix of a temporary
	attrsExt     = ".attrs"  // fileblob's own, refused there
	escapeMark   = "__0x"    // starts an escape in fileblob's file names
	notInKeys    = "\\\x7f*" // a separator on Windows, and what shells and SQL globs expand
)

// temporary matches how fileblob names a file until it is whole: a time in hexadecimal
// nanoseconds and .tmp, after the key.
var temporary = regexp.MustCompile(`\.[0-9a-f]{12,16}\.tmp$`)

// CheckKey returns an error unless key may name an object: parts joined by "/", none
// empty, "." or "..", UTF-8 without control characters, so that no key leads out of the
// bucket and each means the same object in a folder and in S3.
func CheckKey(key string) error {
	bad := func(why string) error { return fmt.Errorf("object key %q %s", key, why) }
	switch {
	case key == "":
		return bad("is empty")
	case len(key) > maxKeyBytes:
		return fmt.Errorf("object key %q… is longer than %d bytes", key[:40], maxKeyBytes)
	case !utf8.ValidString(key):
		return bad("is not UTF-8")
	case strings.ContainsFunc(key, unicode.IsControl) || strings.ContainsAny(key, notInKeys):
		return bad(`holds a control character, "\" or "*"`)
	case strings.Contains(key, escapeMark):
		return bad("holds " + escapeMark)
	case strings.HasSuffix(key, attrsExt) || temporary.MatchString(key):
		return bad("ends like a file that the folder keeps for itself")
	}
	for part := range strings.SplitSeq(key, "/") {
		switch {
		case part == "":
			return bad(`has an empty part (a "/" at an end, or two in a row)`)
		case part == "." || part == "..":
			return bad("has a part " + part)
		case len(part) > maxPartBytes:
			return fmt.Errorf("object key %q… has a part longer than %d bytes", key[:40], maxPartBytes)
		}
	}
	return nil
}

// checkPrefix allows what a key may start with.
func checkPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	if err := CheckKey(strings.TrimSuffix(prefix, "/")); err != nil {
		return fmt.Errorf("list objects: %w", err)
	}
	return nil
}
