package torchfile

import (
	"encoding/binary"
	"fmt"
)

// magic is the number whose pickle torch.save began a file with before PyTorch 1.6,
// 0x1950a86a20f9469cfc6c.
const magic long = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"

// legacyVersion is the only version of that format.
const legacyVersion = 1001

func isLegacy(file []byte) bool {
	if len(file) == 0 || file[0] != opProto {
		return false
	}
	m := machine{program: file[:min(len(file), 64)]}
	value, err := m.run()
	return err == nil && value == magic
}

// readLegacy reads the format before PyTorch 1.6: pickles of the magic number, the version,
// the machine's sizes, the state dict and the storages' keys, one after the other; then, in
// the keys' order, each storage's number of elements in eight bytes and its elements.
func readLegacy(file []byte) ([]*Tensor, error) {
	at := 0
	next := func(what string, storages map[string]*storage) (any, error) {
		m := machine{what: fmt.Sprintf("the pickle of %s from byte %d", what, at), program: file[at:], storages: storages}
		value, err := m.run()
		at += m.at
		return value, err
	}
	if _, err := next("the magic number", nil); err != nil {
		return nil, err
	}
	version, err := next("the version", nil)
	if err != nil {
		return nil, err
	}
	if version != int64(legacyVersion) {
		return nil, bad("its format's version is another than %d", legacyVersion)
	}
	system, err := next("the byte order", nil)
	if err != nil {
		return nil, err
	}
	if d, ok := system.(*dict); !ok || d.values["little_endian"] != true {
		return nil, bad("it does not say that its byte order is little-endian, the only one allowed")
	}
	storages := map[string]*storage{}
	value, err := next("the state dict", storages)
	if err != nil {
		return nil, err
	}
	keys, err := next("the storages' keys", nil)
	if err != nil {
		return nil, err
	}
	list, ok := keys.(*list)
	if !ok {
		return nil, bad("what follows the state dict is not the list of its storages")
	}
	for _, item := range list.items {
		key, ok := item.(string)
		s := storages[key]
		if !ok || s == nil || s.data != nil {
			return nil, bad("byte %d: its list of storages names one twice, or one that no tensor uses", at)
		}
		size := s.dtype.Size()
		if len(file)-at < 8 || binary.LittleEndian.Uint64(file[at:]) != uint64(s.count) || (len(file)-at-8)/size < s.count {
			return nil, bad("byte %d: the storage %.40q of %d elements of %s is not there; the file is damaged or cut short", at, key, s.count, s.dtype)
		}
		s.data = file[at+8:][: s.count*size : s.count*size]
		at += 8 + s.count*size
	}
	if len(list.items) != len(storages) {
		return nil, bad("it holds %d of its %d storages", len(list.items), len(storages))
	}
	if at != len(file) {
		return nil, bad("byte %d: %d bytes follow the last storage", at, len(file)-at)
	}
	return entries(value)
}
