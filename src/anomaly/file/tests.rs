//! What files are refused, with the exact words.

use super::read;
