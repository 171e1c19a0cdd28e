"""The Hugging Face Hub double: a catalogue as data, a store built from it, and a loopback server."""
