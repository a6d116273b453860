//! Stores around a store: a method is written once, in the [`Store`](super::Store) trait.
//!
//! [`layered!`] takes that trait as it is written and makes a second one of it, [`StoreLayer`],
//! whose methods pass each call on to the store inside. A layer says what is inside and writes only
//! the methods that it changes; it is then a `Store` itself. A method added to the trait reaches
//! every layer without another line.

macro_rules! layered {
    (
        $(#[$doc:meta])*
        pub trait Store: Send + Sync + 'static {
            $(
                $(#[$method_doc:meta])*
                fn $method:ident(&self $(, $argument:ident: $input:ty)* $(,)?) -> $output:ty;
            )*
        }
    ) => {
        $(#[$doc])*
        pub trait Store: Send + Sync + 'static {
            $(
                $(#[$method_doc])*
                fn $method(&self $(, $argument: $input)*) -> $output;
            )*
        }

        /// A store around another: what it does not do differently, the one inside does.
        ///
        /// Its methods are those of [`Store`]; who implements it is a `Store`.
        pub trait StoreLayer: Send + Sync + 'static {
            /// The store inside.
            fn inner(&self) -> &dyn Store;

            $(
                $(#[$method_doc])*
                fn $method(&self $(, $argument: $input)*) -> $output {
                    self.inner().$method($($argument),*)
                }
            )*
        }

        impl<L: StoreLayer> Store for L {
            $(
                fn $method(&self $(, $argument: $input)*) -> $output {
                    StoreLayer::$method(self $(, $argument)*)
                }
            )*
        }
    };
}

pub(super) use layered;
